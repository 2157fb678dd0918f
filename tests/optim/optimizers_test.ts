/**
 * Optimizers against what tools/record_optimizers.py writes: options that are rare, missing gradients,
 * two groups, and the state dict.
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Tensor, tensor } from "../../autograd/mod.ts";
import * as optim from "../../optim/mod.ts";
import table from "./data/optimizers.json" with { type: "json" };

interface Recorded {
  tensor: number[];
  data: number[];
}

type RecordedValue = number | boolean | null | Recorded | RecordedValue[];

interface Case {
  optim: string;
  options: Record<string, unknown>;
  params: Recorded[];
  steps: { grads: (Recorded | null)[]; after: Recorded[] }[];
  state: {
    state: Record<string, Record<string, RecordedValue>>;
    param_groups: Record<string, RecordedValue>[];
  };
}

const cases = table.cases as unknown as Case[];

// Keys of PyTorch's groups that choose between implementations of one step.
const implementation = new Set(["foreach", "fused", "capturable", "differentiable"]);

function camel(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function toTensor({ tensor: shape, data }: Recorded): Tensor {
  return tensor(Float64Array.from(data), { shape, requiresGrad: true });
}

function isRecorded(value: unknown): value is Recorded {
  return typeof value === "object" && value !== null && "tensor" in value;
}

function make({ optim: name, options }: Case, params: Tensor[]): optim.Optimizer {
  const kinds = optim as unknown as Record<
    string,
    new (groups: object[], options: object) => optim.Optimizer
  >;
  const named = Object.fromEntries(Object.entries(options).map(([k, v]) => [camel(k), v]));
  return new kinds[name](
    [{ params: params.slice(0, 2) }, { params: params.slice(2), ...table.secondGroup }],
    named,
  );
}

/** The recorder ran under PyTorch's float32 default, which rounds the scalars of ASGD. */
const toleranceOf = ({ optim }: Case): number => optim === "ASGD" ? 1e-7 : 1e-13;

function compare(what: string, actual: Tensor, expected: Recorded, tolerance: number): void {
  assertEquals(actual.shape, expected.tensor, what);
  expected.data.forEach((value, i) =>
    assertAlmostEquals(actual.data[i], value, tolerance * (1 + Math.abs(value)), `${what}[${i}]`)
  );
}

function run(
  optimizer: optim.Optimizer,
  params: Tensor[],
  steps: Case["steps"],
  from: number,
  tolerance: number,
): void {
  for (const [i, { grads, after }] of steps.entries()) {
    if (i < from) continue;
    params.forEach((param, j) => param.grad = grads[j] === null ? null : toTensor(grads[j]));
    optimizer.step();
    params.forEach((param, j) => compare(`step ${i}, parameter ${j}`, param, after[j], tolerance));
  }
}

/** A recorded state dict as PyTorch would hand it over. */
function toState(recorded: Case["state"]): optim.OptimizerStateDict {
  const value = (v: RecordedValue): optim.StateValue =>
    isRecorded(v) ? toTensor(v) : Array.isArray(v) ? v.map(value) : v;
  const entries = (o: Record<string, RecordedValue>): Record<string, optim.StateValue> =>
    Object.fromEntries(Object.entries(o).map(([k, v]) => [k, value(v)]));
  return {
    state: Object.fromEntries(Object.entries(recorded.state).map(([k, v]) => [k, entries(v)])),
    param_groups: recorded.param_groups.map(entries),
  };
}

for (const recorded of cases) {
  const tolerance = toleranceOf(recorded);
  const title = `${recorded.optim} ${JSON.stringify(recorded.options)}`;

  Deno.test(`${title} steps as PyTorch`, () => {
    const params = recorded.params.map(toTensor);
    run(make(recorded, params), params, recorded.steps, 0, tolerance);
    recorded.steps.at(-1)!.grads.forEach((grad, j) =>
      compare("gradient", params[j].grad!, grad!, 0)
    );
  });

  Deno.test(`${title} writes PyTorch's state dict`, () => {
    const params = recorded.params.map(toTensor);
    const optimizer = make(recorded, params);
    run(optimizer, params, recorded.steps, 0, tolerance);
    const { state, param_groups: groups } = optimizer.stateDict();
    for (const [index, expected] of Object.entries(recorded.state.state)) {
      for (const [key, value] of Object.entries(expected)) {
        if (value === null) continue;
        const found = state[index]?.[key];
        if (!(found instanceof Tensor)) throw new Error(`state[${index}].${key} is no tensor`);
        compare(
          `state[${index}].${key}`,
          found,
          isRecorded(value) ? value : {
            tensor: [],
            data: [value as number],
          },
          tolerance,
        );
      }
      assertEquals(
        Object.keys(state[index] ?? {}).sort(),
        Object.keys(expected).filter((key) => expected[key] !== null).sort(),
      );
    }
    recorded.state.param_groups.forEach((expected, i) => {
      for (const [key, value] of Object.entries(expected) as [string, unknown][]) {
        if (!implementation.has(key)) {
          assertEquals<unknown>(groups[i][key], value, `group ${i}, ${key}`);
        }
      }
    });
  });

  Deno.test(`${title} goes on from its state dict`, () => {
    const params = recorded.params.map(toTensor);
    const optimizer = make(recorded, params);
    run(optimizer, params, recorded.steps.slice(0, 4), 0, tolerance);
    const resumed = params.map((param) => param.clone().detach().requiresGrad_());
    const other = make({ ...recorded, options: {} }, resumed);
    other.loadStateDict(optimizer.stateDict());
    run(other, resumed, recorded.steps, 4, tolerance);
  });

  Deno.test(`${title} reads PyTorch's state dict`, () => {
    const params = recorded.steps.at(-1)!.after.map(toTensor);
    const optimizer = make({ ...recorded, options: {} }, params);
    optimizer.loadStateDict(toState(recorded.state));
    const original = make(recorded, recorded.params.map(toTensor));
    const twins = original.paramGroups.flatMap((group) => group.params);
    run(original, twins, recorded.steps, 0, tolerance);
    for (const list of [params, twins]) {
      list.forEach((param) => param.grad = tensor(new Float64Array(param.size).fill(0.3), param));
    }
    optimizer.step();
    original.step();
    params.forEach((param, j) =>
      compare(
        `parameter ${j}`,
        param,
        { tensor: [...twins[j].shape], data: [...twins[j].data] },
        tolerance,
      )
    );
  });
}
