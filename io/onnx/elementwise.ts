/**
 * Element by element: arithmetic, comparisons, activations.
 */
import type { Call, Converter } from "./converter.ts";
import type { Graph } from "./graph.ts";

/** A converter for an operation that ONNX has under a name. */
function direct(op: string): Converter {
  return ({ graph, names }) => graph.node(op, names);
}

function comparison(op: string): Converter {
  return ({ graph, names }) => graph.toFloats(graph.node(op, names));
}

/** A converter for a formula in one tensor. */
function formula<Attrs>(write: (f: Formula, x: string, attrs: Attrs) => string): Converter {
  return ({ graph, names: [x], attrs }: Call<Attrs>) => write(new Formula(graph), x, attrs);
}

/** Formulas as nodes. Every one used here is there for float64 in ONNX Runtime, but for `erf`. */
class Formula {
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  #of(value: string | number): string {
    return typeof value === "number" ? this.graph.scalar(value) : value;
  }

  add(a: string | number, b: string | number): string {
    return this.graph.node("Add", [this.#of(a), this.#of(b)]);
  }
  sub(a: string | number, b: string | number): string {
    return this.graph.node("Sub", [this.#of(a), this.#of(b)]);
  }
  mul(a: string | number, b: string | number): string {
    return this.graph.node("Mul", [this.#of(a), this.#of(b)]);
  }
  div(a: string | number, b: string | number): string {
    return this.graph.node("Div", [this.#of(a), this.#of(b)]);
  }
  max(a: string | number, b: string | number): string {
    return this.graph.node("Max", [this.#of(a), this.#of(b)]);
  }
  min(a: string | number, b: string | number): string {
    return this.graph.node("Min", [this.#of(a), this.#of(b)]);
  }
  of(op: string, x: string): string {
    return this.graph.node(op, [x]);
  }

  /** ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)). */
  softplus(x: string): string {
    const decay = this.of("Exp", this.of("Neg", this.of("Abs", x)));
    return this.add(this.max(x, 0), this.of("Log", this.add(decay, 1)));
  }

  clamp(x: string, low: number | null, high: number | null): string {
    const raised = low === null ? x : this.max(x, low);
    return high === null ? raised : this.min(raised, high);
  }
}

interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
}

/** By the name of the primitive. */
export const elementwise: Readonly<Record<string, Converter>> = {
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  pow: direct("Pow"),
  maximum: direct("Max"),
  minimum: direct("Min"),
  neg: direct("Neg"),
  abs: direct("Abs"),
  sign: direct("Sign"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  sin: direct("Sin"),
  cos: direct("Cos"),
  erf: direct("Erf"),
  relu: direct("Relu"),
  sigmoid: direct("Sigmoid"),
  tanh: direct("Tanh"),
  prelu: direct("PRelu"),
  clone: direct("Identity"),
  eq: comparison("Equal"),
  lt: comparison("Less"),
  le: comparison("LessOrEqual"),
  ne: ({ graph, names }) => graph.toFloats(graph.node("Not", [graph.node("Equal", names)])),
  where: ({ graph, names: [condition, x, y] }) =>
    graph.node("Where", [graph.toTruth(condition), x, y]),
  divRounded: ({ graph, names, attrs }: Call<{ readonly mode: string }>) => {
    const quotient = graph.node("Div", names);
    if (attrs.mode === "floor") return graph.node("Floor", [quotient]);
    const size = graph.node("Floor", [graph.node("Abs", [quotient])]);
    return graph.node("Mul", [graph.node("Sign", [quotient]), size]);
  },
  rsqrt: formula((f, x) => f.of("Reciprocal", f.of("Sqrt", x))),
  expm1: formula((f, x) => f.sub(f.of("Exp", x), 1)),
  log1p: formula((f, x) => f.of("Log", f.add(x, 1))),
  powNumber: formula<{ readonly exponent: number }>((f, x, { exponent }) =>
    exponent === 2 ? f.mul(x, x) : f.graph.node("Pow", [x, f.graph.scalar(exponent)])
  ),
  clamp: formula<Bounds>((f, x, { low, high }) => f.clamp(x, low, high)),
  hardtanh: formula<Bounds>((f, x, { low, high }) => f.clamp(x, low, high)),
  clampTensor: ({ graph, names: [x, low, high] }) => {
    const raised = low === "" ? x : graph.node("Max", [x, low]);
    return high === "" ? raised : graph.node("Min", [raised, high]);
  },
  leakyRelu: formula<{ readonly slope: number }>((f, x, { slope }) =>
    f.graph.isExact(slope)
      ? f.graph.node("LeakyRelu", [x], { alpha: { float: slope } })
      : f.add(f.max(x, 0), f.mul(f.min(x, 0), slope))
  ),
  elu: formula<{ readonly alpha: number; readonly scale: number }>((f, x, { alpha, scale }) => {
    const below = f.mul(f.sub(f.of("Exp", f.min(x, 0)), 1), alpha);
    const whole = f.add(f.max(x, 0), below);
    return scale === 1 ? whole : f.mul(whole, scale);
  }),
  hardswish: formula((f, x) => f.div(f.mul(x, f.clamp(f.add(x, 3), 0, 6)), 6)),
  // x·σ(x) would be fused by ONNX Runtime into what it lacks for float64.
  silu: formula((f, x) => f.div(x, f.add(f.of("Exp", f.of("Neg", x)), 1))),
  gelu: formula((f, x) => {
    const cdf = f.mul(f.add(f.of("Erf", f.mul(x, Math.SQRT1_2)), 1), 0.5);
    return f.mul(x, cdf);
  }),
  geluTanh: formula((f, x) => {
    const cubed = f.mul(f.mul(x, f.mul(x, x)), 0.044715);
    const u = f.mul(f.add(x, cubed), Math.sqrt(2 / Math.PI));
    return f.mul(f.mul(x, 0.5), f.add(f.of("Tanh", u), 1));
  }),
  softplus: formula<{ readonly beta: number; readonly threshold: number }>((f, x, attrs) => {
    const scaled = f.mul(x, attrs.beta);
    const smooth = f.div(f.softplus(scaled), attrs.beta);
    const above = f.graph.node("Greater", [scaled, f.graph.scalar(attrs.threshold)]);
    return f.graph.node("Where", [above, x, smooth]);
  }),
  logsigmoid: formula((f, x) => f.of("Neg", f.softplus(f.of("Neg", x)))),
  mish: formula((f, x) => f.mul(x, f.of("Tanh", f.softplus(x)))),
};
