/**
 * Activations that work element by element.
 */
import { refuse } from "../../autograd/internal.ts";
import {
  full,
  type GeluOptions,
  type HardtanhOptions,
  type SoftplusOptions,
  type Tensor,
} from "../../autograd/mod.ts";
import { checkCount, checkNumber, layerOptions } from "../module/arguments.ts";
import { DeclaredLayer } from "../module/declared.ts";
import {
  elu,
  gelu,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from "../functional.ts";
import { Module } from "../module/module.ts";

/** max(x, 0), element by element. */
export class ReLU extends Module {
  /** @internal */ static override readonly kind: string = "ReLU";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  override get absorbable(): "relu" {
    return "relu";
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** min(max(x, 0), 6), element by element. */
export class ReLU6 extends Module {
  /** @internal */ static override readonly kind: string = "ReLU6";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** The scaled exponential linear unit: λ·x above 0, λ·α·(eˣ − 1) below, element by element. */
export class SELU extends Module {
  /** @internal */ static override readonly kind: string = "SELU";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** x · sigmoid(x), element by element. */
export class SiLU extends Module {
  /** @internal */ static override readonly kind: string = "SiLU";
  /** @internal */ static override readonly keepsNothing = true;

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x · tanh(softplus(x)), element by element. */
export class Mish extends Module {
  /** @internal */ static override readonly kind: string = "Mish";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** x · min(max(x + 3, 0), 6) / 6, element by element. */
export class Hardswish extends Module {
  /** @internal */ static override readonly kind: string = "Hardswish";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** 1 / (1 + e⁻ˣ), element by element. */
export class Sigmoid extends Module {
  /** @internal */ static override readonly kind: string = "Sigmoid";
  /** @internal */ static override readonly keepsNothing = true;

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** −ln(1 + e⁻ˣ), element by element. */
export class LogSigmoid extends Module {
  /** @internal */ static override readonly kind: string = "LogSigmoid";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return logsigmoid(x);
  }
}

/** tanh x, element by element. */
export class Tanh extends Module {
  /** @internal */ static override readonly kind: string = "Tanh";
  /** @internal */ static override readonly keepsNothing = true;

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** x above 0, negativeSlope · x below. */
export class LeakyReLU extends DeclaredLayer<{ readonly negativeSlope?: number }> {
  /** @internal */ static override readonly kind: string = "LeakyReLU";
  /** @internal */ static override readonly keepsNothing = true;

  /** The slope below 0. */
  declare readonly negativeSlope: number;

  /**
   * Makes the layer.
   *
   * @param options negativeSlope = 0.01, which may stand alone.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | { readonly negativeSlope?: number } = {}) {
    super(options, { negativeSlope: 0.01 });
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }
}

/** x above 0, alpha · (eˣ − 1) below. */
export class ELU extends DeclaredLayer<{ readonly alpha?: number }> {
  /** @internal */ static override readonly kind: string = "ELU";
  /** @internal */ static override readonly keepsNothing = true;

  /** The limit below 0 is −alpha. */
  declare readonly alpha: number;

  /**
   * Makes the layer.
   *
   * @param options alpha = 1, which may stand alone.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | { readonly alpha?: number } = {}) {
    super(options, { alpha: 1 });
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return elu(x, { alpha: this.alpha });
  }
}

/** x · Φ(x), Φ the normal distribution's cumulative function or its approximation by tanh. */
export class GELU extends DeclaredLayer<GeluOptions> {
  /** @internal */ static override readonly kind: string = "GELU";
  /** @internal */ static override readonly keepsNothing = true;

  /** `"none"` or `"tanh"`. */
  declare readonly approximate: "none" | "tanh";

  /**
   * Makes the layer.
   *
   * @param options approximate = "none", which may stand alone.
   * @throws {TypeError} if it is of the wrong kind. @throws {RangeError} if it is another name.
   */
  constructor(options: "none" | "tanh" | GeluOptions = {}) {
    super(options, { approximate: "none" }, ["none", "tanh"]);
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }
}

/** ln(1 + e^(beta·x)) / beta; x itself where beta·x is above the threshold. */
export class Softplus extends DeclaredLayer<SoftplusOptions> {
  /** @internal */ static override readonly kind: string = "Softplus";

  /** How sharp the bend is. */
  declare readonly beta: number;
  /** From where on the result is x itself. */
  declare readonly threshold: number;

  /**
   * Makes the layer.
   *
   * @param options beta = 1, which may stand alone, threshold = 20.
   * @throws {TypeError} if one is of the wrong kind.
   */
  constructor(options: number | SoftplusOptions = {}) {
    super(options, { beta: 1, threshold: 20 });
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }
}

/** min(max(x, minVal), maxVal). */
export class Hardtanh extends DeclaredLayer<HardtanhOptions> {
  /** @internal */ static override readonly kind: string = "Hardtanh";

  /** The lower bound. */
  declare readonly minVal: number;
  /** The upper bound. */
  declare readonly maxVal: number;

  /**
   * Makes the layer.
   *
   * @param options minVal = −1, which may stand alone, maxVal = 1.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if maxVal ≤ minVal.
   */
  constructor(options: number | HardtanhOptions = {}) {
    super(options, { minVal: -1, maxVal: 1 });
    const { minVal, maxVal } = this;
    if (maxVal <= minVal) {
      refuse("make Hardtanh", `minVal ${minVal} and maxVal ${maxVal}`, "minVal < maxVal");
    }
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return hardtanh(x, { minVal: this.minVal, maxVal: this.maxVal });
  }
}

/** Options of {@linkcode PReLU}. */
export interface PReLUOptions {
  /** One slope, or one for each channel (axis 1). */
  readonly numParameters?: number;
  /** The slopes at first. */
  readonly init?: number;
}

/** x above 0, weight · x below, the slopes learned. */
export class PReLU extends Module {
  /** @internal */ static override readonly kind: string = "PReLU";

  /** How many slopes there are. */
  readonly numParameters: number;
  /** The slopes at first. */
  readonly init: number;
  /** [numParameters]. */
  weight: Tensor;

  /**
   * Makes the layer.
   *
   * @param options numParameters = 1, which may stand alone, init = 0.25.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(options: number | PReLUOptions = {}) {
    super();
    const { numParameters = 1, init = 0.25 } = layerOptions<PReLUOptions>(
      "PReLU",
      options,
      ["numParameters", "init"],
      "numParameters",
    );
    this.numParameters = checkCount("PReLU", "numParameters", numParameters, 1);
    this.init = checkNumber("PReLU", "init", init);
    this.weight = this.registerParameter("weight", full([numParameters], init));
  }

  /** Sets every slope to `init`. */
  resetParameters(): void {
    this.weight.detach().copy_(this.init);
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}
