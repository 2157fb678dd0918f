/**
 * Programs as data: what the differential tester generates, runs on every set of kernels and in
 * PyTorch, shrinks and prints. Places in a program are counted: a statement's result is the tensor
 * with the statement's own number.
 *
 * @module
 */

/** Constants of a call; each function knows what it reads. */
export type Attrs = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** One line of a program. */
export type Statement =
  /** A new tensor whose values follow from its seed. */
  | {
    readonly kind: "leaf";
    readonly shape: readonly number[];
    readonly seed: number;
    readonly requiresGrad: boolean;
  }
  /** A function of earlier results. */
  | {
    readonly kind: "call";
    readonly name: string;
    readonly args: readonly number[];
    readonly attrs: Attrs;
    readonly noGrad: boolean;
  }
  /** An edit in place; the result is the target. */
  | {
    readonly kind: "copy";
    readonly target: number;
    readonly source: number;
    readonly noGrad: boolean;
  }
  /** A new module, its parameters written from its seed; no result. */
  | {
    readonly kind: "module";
    readonly layer: string;
    readonly attrs: Attrs;
    readonly seed: number;
  }
  /** A module's mode; no result. */
  | { readonly kind: "mode"; readonly module: number; readonly training: boolean }
  /** A module applied to a tensor. */
  | { readonly kind: "forward"; readonly module: number; readonly x: number }
  /** The gradient of a weighted sum of `of` by `by`, of first or second order. */
  | {
    readonly kind: "grad";
    readonly of: number;
    readonly by: number;
    readonly order: 1 | 2;
  }
  /** A backward pass into `.grad` of everything that requires grad; no result. */
  | { readonly kind: "backward"; readonly of: number }
  /** A new optimizer over leaves and the parameters of modules; no result. */
  | {
    readonly kind: "optimizer";
    readonly algorithm: string;
    readonly attrs: Attrs;
    readonly leaves: readonly number[];
    readonly modules: readonly number[];
  }
  /** A step of an optimizer, with gradients cleared after it; no result. */
  | { readonly kind: "step"; readonly optimizer: number };

/** A list of statements. */
export type Program = readonly Statement[];

/**
 * What running a statement showed: numbers (values, whether the result is on the tape, every gradient
 * or buffer that it may have changed), or that it threw.
 */
export type Observation = readonly (number | null)[] | "threw";

/** The numbers of earlier statements that a statement uses. */
export function uses(statement: Statement): readonly number[] {
  switch (statement.kind) {
    case "leaf":
    case "module":
      return [];
    case "call":
      return statement.args;
    case "copy":
      return [statement.target, statement.source];
    case "mode":
      return [statement.module];
    case "forward":
      return [statement.module, statement.x];
    case "grad":
      return [statement.of, statement.by];
    case "backward":
      return [statement.of];
    case "optimizer":
      return [...statement.leaves, ...statement.modules];
    case "step":
      return [statement.optimizer];
  }
}

/**
 * The program without one statement and those that depend on it, numbers moved up. An edit counts as
 * one that its target does not depend on.
 */
export function without(program: Program, removed: number): Program {
  const gone = new Set([removed]);
  program.forEach((statement, i) => {
    if (uses(statement).some((used) => gone.has(used))) gone.add(i);
  });
  const moved = new Map<number, number>();
  const kept: Statement[] = [];
  program.forEach((statement, i) => {
    if (gone.has(i)) return;
    moved.set(i, kept.length);
    kept.push(statement);
  });
  const to = (i: number): number => moved.get(i)!;
  return kept.map((statement): Statement => {
    switch (statement.kind) {
      case "leaf":
      case "module":
        return statement;
      case "call":
        return { ...statement, args: statement.args.map(to) };
      case "copy":
        return { ...statement, target: to(statement.target), source: to(statement.source) };
      case "mode":
        return { ...statement, module: to(statement.module) };
      case "forward":
        return { ...statement, module: to(statement.module), x: to(statement.x) };
      case "grad":
        return { ...statement, of: to(statement.of), by: to(statement.by) };
      case "backward":
        return { ...statement, of: to(statement.of) };
      case "optimizer":
        return {
          ...statement,
          leaves: statement.leaves.map(to),
          modules: statement.modules.map(to),
        };
      case "step":
        return { ...statement, optimizer: to(statement.optimizer) };
    }
  });
}

/** A program in lines that a person can read. */
export function print(program: Program): string {
  const attrsOf = (attrs: Attrs): string =>
    Object.keys(attrs).length === 0 ? "" : `, ${JSON.stringify(attrs)}`;
  const line = (statement: Statement, i: number): string => {
    switch (statement.kind) {
      case "leaf": {
        const grad = statement.requiresGrad ? ", requires grad" : "";
        return `t${i} = leaf [${statement.shape}] of seed ${statement.seed}${grad}`;
      }
      case "call": {
        const off = statement.noGrad ? "noGrad " : "";
        const args = statement.args.map((arg) => `t${arg}`).join(", ");
        return `t${i} = ${off}${statement.name}(${args}${attrsOf(statement.attrs)})`;
      }
      case "copy": {
        const off = statement.noGrad ? "noGrad " : "";
        return `t${i} = ${off}t${statement.target}.copy_(t${statement.source})`;
      }
      case "module":
        return `m${i} = ${statement.layer}(${
          JSON.stringify(statement.attrs)
        }) of seed ${statement.seed}`;
      case "mode":
        return `m${statement.module}.train(${statement.training})`;
      case "forward":
        return `t${i} = m${statement.module}.forward(t${statement.x})`;
      case "grad":
        return `t${i} = gradient of order ${statement.order} of t${statement.of} by t${statement.by}`;
      case "backward":
        return `backward from t${statement.of}`;
      case "optimizer": {
        const params = [
          ...statement.leaves.map((leaf) => `t${leaf}`),
          ...statement.modules.map((module) => `m${module}`),
        ];
        return `o${i} = ${statement.algorithm}([${params}]${attrsOf(statement.attrs)})`;
      }
      case "step":
        return `o${statement.optimizer}.step() and zeroGrad()`;
    }
  };
  return program.map((statement, i) => `  ${line(statement, i)}`).join("\n");
}

/** The values that a seed stands for, from −2 to 2. */
export function valuesOf(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    let h = Math.imul(seed ^ Math.imul(i + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ h >>> 15, 0xc2b2ae35) >>> 0;
    h = (h ^ h >>> 13) >>> 0;
    return h / 2 ** 30 - 2;
  });
}
