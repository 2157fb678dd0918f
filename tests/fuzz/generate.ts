/**
 * Random programs: each statement is chosen by what the tensors so far allow, so that most succeed
 * and values stay of ordinary size.
 *
 * @module
 */
import type { Tensor } from "../../mod.ts";
import { storageOf } from "../../autograd/tensor.ts";
import { Execution } from "./execute.ts";
import type { Attrs, Program, Statement } from "./program.ts";

const smooth = ["sin", "cos", "tanh", "sigmoid", "erf", "silu", "gelu", "softplus", "mish"];
const kinked = ["relu", "leaky_relu", "elu", "selu", "hardtanh", "abs", "clamp"];
const plain = ["neg", "clone", "detach"];
const lengths = [1, 2, 3, 4, 5, 7, 8, 16, 17];

/** A stream of choices that depends on its seed alone. */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to 1. */
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A program of about `length` statements. */
export function generate(seed: number, length = 16): Program {
  return new Generation(seed).make(length);
}

class Generation {
  readonly #choose: Choices;
  readonly #execution = new Execution();
  readonly #program: Statement[] = [];
  readonly #tensors: number[] = [];
  readonly #leaves: number[] = [];
  readonly #modules: { at: number; ranks: readonly number[]; axis: number; n: number }[] = [];
  readonly #optimizers: number[] = [];
  #seeds = 0;

  constructor(seed: number) {
    this.#choose = new Choices(seed * 7919 + 17);
    this.#seeds = seed * 1000;
  }

  make(length: number): Program {
    for (let i = 2 + this.#choose.below(2); i > 0; i--) this.#leaf(this.#shape(), true);
    while (this.#program.length < length) this.#any();
    const last = this.#tensors.at(-1)!;
    for (const leaf of this.#leaves.slice(0, 2)) {
      const order = this.#choose.chance(0.5) ? 2 : 1;
      this.#add({ kind: "grad", of: last, by: leaf, order });
    }
    this.#add({ kind: "backward", of: last });
    for (const optimizer of this.#optimizers) this.#add({ kind: "step", optimizer });
    return this.#program;
  }

  /** Adds a statement, runs it, and keeps its number for later if it made a tensor. */
  #add(statement: Statement): number {
    const at = this.#program.length;
    this.#program.push(statement);
    this.#execution.run(statement);
    const made = this.#execution.tensor(at);
    if (made !== null && made.size > 0 && made.size < 20_000 && isTame(made)) {
      if (statement.kind !== "copy") this.#tensors.push(at);
      if (statement.kind === "leaf" && statement.requiresGrad) this.#leaves.push(at);
    }
    return at;
  }

  #shape(rank: number = this.#choose.below(4) + 1): number[] {
    return Array.from({ length: rank }, () => this.#choose.of(lengths));
  }

  #leaf(shape: readonly number[], requiresGrad = this.#choose.chance(0.7)): number {
    return this.#add({ kind: "leaf", shape, seed: this.#seeds++, requiresGrad });
  }

  #call(name: string, args: readonly number[], attrs: Attrs = {}): void {
    // PyTorch tells views that were made without grad from copies; this library has no such case.
    const noGrad = name !== "reshape" && name !== "unsqueeze" && this.#choose.chance(0.04);
    this.#add({ kind: "call", name, args, attrs, noGrad });
  }

  #any(): void {
    const choose = this.#choose;
    const x = choose.chance(0.6) ? this.#tensors.at(-1)! : choose.of(this.#tensors);
    const t = this.#execution.tensor(x)!;
    const kinds: readonly (() => void)[] = [
      () => this.#unary(x, t),
      () => this.#unary(x, t),
      () => this.#binary(x, t),
      () => this.#binary(x, t),
      () => this.#reduce(x, t),
      () => this.#rearrange(x, t),
      () => this.#rearrange(x, t),
      () => this.#product(x, t),
      () => this.#image(x, t),
      () => this.#norm(x, t),
      () => this.#module(x, t),
      () => this.#module(x, t),
      () => this.#edit(x, t),
      () => this.#gradient(x),
      () => this.#optimizer(),
    ];
    choose.of(kinds)();
  }

  #unary(x: number, t: Tensor): void {
    const values = t.data;
    const names = [...smooth, ...kinked, ...plain, "square"];
    if (values.every((v) => Math.abs(v) < 5)) names.push("exp");
    // PyTorch's second derivative of mish is NaN for large values.
    if (values.some((v) => Math.abs(v) > 20)) names.splice(names.indexOf("mish"), 1);
    if (values.every((v) => v > 0.05)) names.push("log", "sqrt");
    if (values.every((v) => Math.abs(v) > 0.1)) names.push("reciprocal");
    this.#call(this.#choose.of(names), [x]);
  }

  /** Another tensor of a shape that broadcasts with this one. */
  #partner(t: Tensor): number {
    const choose = this.#choose;
    const fitting = this.#tensors.filter((at) =>
      broadcast(this.#execution.tensor(at)!.shape, t.shape)
    );
    if (fitting.length > 0 && choose.chance(0.7)) return choose.of(fitting);
    const from = choose.below(t.ndim + 1);
    return this.#leaf(t.shape.slice(from).map((n) => choose.chance(0.2) ? 1 : n));
  }

  #binary(x: number, t: Tensor): void {
    const y = this.#partner(t);
    const names = ["add", "sub", "mul", "maximum", "minimum", "where"];
    if (this.#execution.tensor(y)!.data.every((v) => Math.abs(v) > 0.1)) names.push("div");
    const name = this.#choose.of(names);
    if (name === "where") this.#call(name, [x, y, x]);
    else this.#call(name, this.#choose.chance(0.5) || name === "div" ? [x, y] : [y, x]);
  }

  #reduce(x: number, t: Tensor): void {
    const choose = this.#choose;
    if (t.ndim === 0) return this.#call("sin", [x]);
    const dim = t.shape.map((_, i) => i).filter(() => choose.chance(0.5));
    if (dim.length === 0) dim.push(choose.below(t.ndim));
    const count = dim.reduce((product, i) => product * t.shape[i], 1);
    const names = ["sum", "mean", "amax", "amin", "logsumexp"];
    if (count > 1) names.push("var");
    if (choose.chance(0.3)) {
      return this.#call(choose.of(["softmax", "log_softmax", "cumsum"]), [x], { dim: dim[0] });
    }
    this.#call(choose.of(names), [x], { dim, keepdim: choose.chance(0.5) });
  }

  #rearrange(x: number, t: Tensor): void {
    const choose = this.#choose;
    const { shape, ndim } = t;
    if (ndim === 0) return this.#call("unsqueeze", [x], { dim: 0 });
    const dim = choose.below(ndim);
    const n = shape[dim];
    const start = choose.below(n);
    const ways: readonly (() => void)[] = [
      () => this.#call("reshape", [x], { shape: [t.size] }),
      () => this.#call("reshape", [x], { shape: [shape[0], t.size / shape[0]] }),
      () => this.#call("transpose", [x], { a: dim, b: choose.below(ndim) }),
      () => this.#call("permute", [x], { dims: shape.map((_, i) => (i + dim) % ndim) }),
      () => this.#call("narrow", [x], { dim, start, length: 1 + choose.below(n - start) }),
      () => this.#call("select", [x], { dim, index: start }),
      () => this.#call("flip", [x], { dims: [dim] }),
      () => this.#call("roll", [x], { shift: choose.below(9) - 4, dim }),
      () => this.#call("unsqueeze", [x], { dim: choose.below(ndim + 1) }),
      () => this.#call("expand", [x], { shape: [choose.of([1, 2, 3]), ...shape] }),
      () => this.#call("repeat", [x], { sizes: shape.map((_, i) => i === dim ? 2 : 1) }),
      () => this.#call("cat", [x, x], { dim }),
      () => this.#call("stack", [x, x], { dim }),
      () => this.#call("index_select", [x], { dim, index: [start, 0, start] }),
      () => ndim >= 2 ? this.#call("tril", [x]) : this.#call("flip", [x], { dims: [0] }),
    ];
    choose.of(ways)();
  }

  #product(x: number, t: Tensor): void {
    if (t.ndim === 0) return this.#call("cos", [x]);
    const n = t.shape.at(-1)!;
    const out = this.#choose.of(lengths);
    if (this.#choose.chance(0.5)) return this.#call("matmul", [x, this.#leaf([n, out])]);
    this.#call("linear", [x, this.#leaf([out, n]), this.#leaf([out])]);
  }

  #image(x: number, t: Tensor): void {
    const choose = this.#choose;
    let [at, image] = [x, t];
    if (t.ndim !== 4) {
      at = this.#leaf([choose.of([1, 2, 3]), choose.of([1, 2, 3]), 6, choose.of([5, 6])]);
      image = this.#execution.tensor(at)!;
    }
    const [, c, h, w] = image.shape;
    if (h >= 2 && w >= 2 && choose.chance(0.4)) {
      return this.#call(choose.of(["max_pool2d", "avg_pool2d"]), [at]);
    }
    const weight = this.#leaf([choose.of([1, 2, 4]), c, 3, 3]);
    this.#call("conv2d", [at, weight], { stride: choose.of([1, 2]), padding: choose.of([1, 2]) });
  }

  #norm(x: number, t: Tensor): void {
    const choose = this.#choose;
    if (t.ndim < 2) return this.#unary(x, t);
    const [n, c] = t.shape;
    const ways: (() => void)[] = [];
    if (t.size / c > 1) ways.push(() => this.#call("batch_norm", [x]));
    // Two values are normalised to ±1, and their gradient is rounding error.
    if (t.shape.at(-1)! > 2) ways.push(() => this.#call("layer_norm", [x]));
    if (t.size / n > 1) ways.push(() => this.#call("group_norm", [x], { groups: 1 }));
    if (t.ndim === 2) {
      const target = Array.from({ length: n }, () => choose.below(c));
      ways.push(() => this.#call("cross_entropy", [x], { target }));
    }
    if (ways.length === 0) return this.#unary(x, t);
    choose.of(ways)();
  }

  #module(x: number, t: Tensor): void {
    const choose = this.#choose;
    const fitting = this.#modules.filter(({ ranks, axis, n }) =>
      ranks.includes(t.ndim) && t.shape.at(axis) === n
    );
    if (fitting.length === 0) {
      const made = this.#makeModule(t);
      if (made === null) return this.#unary(x, t);
      fitting.push(made);
    }
    const { at } = choose.of(fitting);
    // Not back to training: PyTorch's backward through a frozen layer reads the statistics of today.
    if (choose.chance(0.25)) this.#add({ kind: "mode", module: at, training: false });
    this.#add({ kind: "forward", module: at, x });
  }

  #makeModule(t: Tensor): { at: number; ranks: readonly number[]; axis: number; n: number } | null {
    const choose = this.#choose;
    const options = {
      momentum: choose.of([0.1, 0.5, 1, -1]),
      affine: choose.chance(0.7),
      track: choose.chance(0.7),
    };
    const last = t.shape.at(-1) ?? 0;
    const out = choose.of([2, 3, 5]);
    const kinds: [layer: string, ranks: number[], axis: number, attrs: Attrs][] = [];
    if (t.ndim === 2 || t.ndim === 3) {
      kinds.push(["BatchNorm1d", [2, 3], 1, { n: t.shape[1], ...options }]);
    }
    if (t.ndim === 4) {
      const n = t.shape[1];
      kinds.push(["BatchNorm2d", [4], 1, { n, ...options }]);
      // PyTorch fails on an InstanceNorm without momentum.
      kinds.push(["InstanceNorm2d", [4], 1, { n, ...options, momentum: 0.1 }]);
      kinds.push(["Conv2d", [4], 1, { n, out }]);
    }
    if (t.ndim === 2) kinds.push(["Mlp", [2], 1, { n: last, out }]);
    if (t.ndim > 0) {
      kinds.push(["Linear", [1, 2, 3, 4], -1, { n: last, out }]);
      if (last > 2) kinds.push(["LayerNorm", [1, 2, 3, 4], -1, { n: last }]);
    }
    if (kinds.length === 0) return null;
    const [layer, ranks, axis, attrs] = choose.of(kinds);
    const at = this.#add({ kind: "module", layer, attrs, seed: this.#seeds += 10 });
    const made = { at, ranks, axis, n: attrs.n as number };
    this.#modules.push(made);
    return made;
  }

  #edit(x: number, t: Tensor): void {
    const source = this.#partner(t);
    // PyTorch returns gradients that cannot be written to, and loses track of views edited without grad.
    const origin = (at: number): Statement => {
      const made = this.#program[at];
      const isView = made.kind === "call" && (made.name === "reshape" || made.name === "unsqueeze");
      return isView ? origin(made.args[0]) : made;
    };
    // A tensor into its own view: PyTorch sees a circle.
    const same = storageOf(this.#execution.tensor(source)!) === storageOf(t);
    if (origin(x).kind === "grad" || same) return this.#unary(x, t);
    const hasViews = this.#program.some((made, at) =>
      made.kind === "call" && (made.name === "reshape" || made.name === "unsqueeze") &&
      (at === x || made.args[0] === x)
    );
    this.#add({ kind: "copy", target: x, source, noGrad: !hasViews && this.#choose.chance(0.3) });
  }

  #gradient(x: number): void {
    const order = this.#choose.chance(0.4) ? 2 : 1;
    this.#add({ kind: "grad", of: x, by: this.#choose.of(this.#leaves), order });
  }

  #optimizer(): void {
    const choose = this.#choose;
    if (this.#optimizers.length > 0) {
      if (choose.chance(0.5)) this.#add({ kind: "backward", of: this.#tensors.at(-1)! });
      this.#add({ kind: "step", optimizer: choose.of(this.#optimizers) });
      return;
    }
    const kinds: readonly [string, Attrs][] = [
      ["SGD", { lr: 0.05, momentum: choose.of([0, 0.9]), weightDecay: choose.of([0, 0.01]) }],
      // A large eps: divided by their own size, gradients of 1e-15 would count as much as others.
      ["Adam", { lr: 0.01, eps: 0.01 }],
      ["RMSprop", { lr: 0.01, eps: 0.01 }],
      ["Adagrad", { lr: 0.1, eps: 0.01 }],
    ];
    const [algorithm, attrs] = choose.of(kinds);
    const leaves = this.#leaves.slice(0, 2);
    const modules = this.#modules.map(({ at }) => at);
    const at = this.#add({ kind: "optimizer", algorithm, attrs, leaves, modules });
    this.#optimizers.push(at);
  }
}

/** Whether values are finite and of ordinary size: what is computed from others would only overflow. */
function isTame(x: Tensor): boolean {
  return x.data.every((value) => Math.abs(value) < 1e4);
}

function broadcast(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const [m, n] = [a.at(-i)!, b.at(-i)!];
    if (m !== n && m !== 1 && n !== 1) return false;
  }
  return true;
}
