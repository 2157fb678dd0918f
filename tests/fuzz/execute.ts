/**
 * Runs a program in this process, on the kernels that are in force, and observes every statement.
 *
 * @module
 */
import { grad, mul, nn, noGrad, optim, Tensor, tensor } from "../../mod.ts";
import { functions, layers } from "./functions.ts";
import { type Observation, type Program, type Statement, valuesOf } from "./program.ts";

type Made = Tensor | nn.Module | optim.Optimizer | null;

type Construct = new (params: Tensor[], options: object) => optim.Optimizer;

/** Long results are told by sums and their first values. */
const SHOWN = 24;

function numbersOf(x: Tensor | null): (number | null)[] {
  if (x === null) return [null];
  const values = x.data;
  if (values.length <= SHOWN) return [...values];
  let [sum, squares, weighted, largest] = [0, 0, 0, 0];
  values.forEach((value, i) => {
    sum += value;
    squares += value * value;
    weighted += value * Math.cos(i);
    largest = Math.max(largest, Math.abs(value));
  });
  return [sum, squares, weighted, largest, ...values.subarray(0, SHOWN)];
}

/** Σ cos(i + 1)·x_i: a scalar in which every element counts differently. */
function weightedSum(x: Tensor): Tensor {
  const weights = Float64Array.from({ length: x.size }, (_, i) => Math.cos(i + 1));
  return mul(x, tensor(weights, { shape: x.shape })).sum();
}

/** One run: what the statements have made. */
export class Execution {
  readonly #made: Made[] = [];
  readonly #nudge: number;

  /** @param nudge By what share of themselves the values of leaves move, to and fro. */
  constructor(nudge = 0) {
    this.#nudge = nudge;
  }

  /** The tensor that a statement made; `null` if it made none. */
  tensor(at: number): Tensor | null {
    const made = this.#made[at];
    return made instanceof Tensor ? made : null;
  }

  /** Runs one more statement. */
  run(statement: Statement): Observation {
    try {
      const [made, observation] = this.#do(statement);
      this.#made.push(made);
      return observation;
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError || error instanceof Error)) {
        throw error;
      }
      this.#made.push(null);
      return "threw";
    }
  }

  #get<T extends Exclude<Made, null>>(at: number): T {
    const made = this.#made[at];
    if (made === null) throw new Error(`Cannot use statement ${at}: it made nothing`);
    return made as T;
  }

  #show(x: Tensor): [Made, Observation] {
    return [x, [x.requiresGrad ? 1 : 0, ...x.shape, ...numbersOf(x)]];
  }

  #do(statement: Statement): [Made, Observation] {
    switch (statement.kind) {
      case "leaf": {
        const { shape, seed, requiresGrad } = statement;
        const values = valuesOf(seed, shape.reduce((a, b) => a * b, 1))
          .map((value, i) => value * (1 + this.#nudge * Math.sin(i + 1)));
        return this.#show(tensor(Float64Array.from(values), { shape, requiresGrad }));
      }
      case "call": {
        const call = functions.get(statement.name)!;
        const args = statement.args.map((arg) => this.#get<Tensor>(arg));
        const run = () => call(args, statement.attrs);
        return this.#show(statement.noGrad ? noGrad(run) : run());
      }
      case "copy": {
        const target = this.#get<Tensor>(statement.target);
        const source = this.#get<Tensor>(statement.source);
        const run = () => target.copy_(source);
        return this.#show(statement.noGrad ? noGrad(run) : run());
      }
      case "module": {
        const module = layers.get(statement.layer)!(statement.attrs);
        noGrad(() => {
          module.parameters().forEach((parameter, i) => {
            const values = Float64Array.from(valuesOf(statement.seed + i, parameter.size));
            parameter.copy_(tensor(values, { shape: parameter.shape }));
          });
        });
        return [module, []];
      }
      case "mode":
        this.#get<nn.Module>(statement.module).train(statement.training);
        return [null, []];
      case "forward": {
        const module = this.#get<nn.Module>(statement.module);
        const [y, shown] = this.#show(module.forward(this.#get<Tensor>(statement.x)) as Tensor);
        return [y, [...shown as number[], ...module.buffers().flatMap((b) => numbersOf(b))]];
      }
      case "grad":
        return this.#grad(statement);
      case "backward":
        weightedSum(this.#get<Tensor>(statement.of)).backward(null, { retainGraph: true });
        return [null, this.#gradients()];
      case "optimizer": {
        const params = [
          ...statement.leaves.map((leaf) => this.#get<Tensor>(leaf)),
          ...statement.modules.flatMap((m) => [...this.#get<nn.Module>(m).parameters()]),
        ];
        const kinds = optim as unknown as Readonly<Record<string, Construct>>;
        return [new kinds[statement.algorithm](params, statement.attrs), []];
      }
      case "step": {
        const optimizer = this.#get<optim.Optimizer>(statement.optimizer);
        optimizer.step();
        optimizer.zeroGrad();
        const params = optimizer.paramGroups.flatMap((group) => [...group.params]);
        return [null, params.flatMap((param) => numbersOf(param))];
      }
    }
  }

  #grad({ of, by, order }: Statement & { kind: "grad" }): [Made, Observation] {
    const root = weightedSum(this.#get<Tensor>(of));
    const target = this.#get<Tensor>(by);
    const options = { allowUnused: true, retainGraph: true };
    let [gradient] = grad(root, [target], { ...options, createGraph: order === 2 });
    if (order === 2) {
      if (!gradient?.requiresGrad) return [null, [null]];
      [gradient] = grad(weightedSum(gradient.square()), [target], options);
    }
    // Whether what is 0 counts as unused is each library's own business.
    const none = gradient === null ||
      (order === 2 && gradient.data.every((value) => Math.abs(value) < 1e-12));
    return none ? [null, [null]] : this.#show(gradient!);
  }

  /** The gradients of everything so far that is a leaf. */
  #gradients(): (number | null)[] {
    return this.#made.flatMap((made) => {
      if (made instanceof Tensor) {
        return made.isLeaf && made.requiresGrad ? numbersOf(made.grad) : [];
      }
      return made instanceof nn.Module ? made.parameters().flatMap((p) => numbersOf(p.grad)) : [];
    });
  }
}

/** Runs a whole program. */
export function execute(program: Program, nudge = 0): Observation[] {
  const execution = new Execution(nudge);
  return program.map((statement) => execution.run(statement));
}
