/**
 * What optimizers write and read.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Tensor, tensor, zeros } from "../../autograd/mod.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  type LearningRate,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  SGD,
} from "../../optim/mod.ts";

function parameter(...values: number[]): Tensor {
  return tensor(values, { requiresGrad: true });
}

function stepWith(optimizer: Optimizer, value: number): void {
  for (const group of optimizer.paramGroups) {
    for (const param of group.params) param.grad = tensor(param.data.map(() => value), param);
  }
  optimizer.step();
}

Deno.test("a state dict has PyTorch's layout and names", () => {
  const optimizer = new SGD(
    [{ params: [parameter(1)] }, { params: [parameter(2), parameter(3)] }],
    {
      lr: 0.1,
      momentum: 0.9,
      weightDecay: 0.01,
    },
  );
  stepWith(optimizer, 1);
  const { state, param_groups: groups } = optimizer.stateDict();
  assertEquals(Object.keys(state), ["0", "1", "2"]);
  assertEquals((state[2].momentum_buffer as Tensor).toArray(), [1 + 0.01 * 3]);
  assertEquals(groups[1], {
    lr: 0.1,
    momentum: 0.9,
    dampening: 0,
    weight_decay: 0.01,
    nesterov: false,
    maximize: false,
    params: [1, 2],
  });
});

Deno.test("SGD without momentum has no state, Adagrad has it from the beginning", () => {
  const sgd = new SGD([parameter(1)]);
  stepWith(sgd, 1);
  assertEquals(sgd.stateDict().state, {});
  const adagrad = new Adagrad([parameter(1)], { initialAccumulatorValue: 0.5 });
  const { step, sum } = adagrad.stateDict().state[0];
  assertEquals([(step as Tensor).item(), (sum as Tensor).toArray()], [0, [0.5]]);
});

Deno.test("a state dict is a snapshot", () => {
  const optimizer = new Adam([parameter(1)], { lr: tensor(0.1) });
  stepWith(optimizer, 1);
  const saved = optimizer.stateDict();
  const before = (saved.state[0].exp_avg as Tensor).toArray();
  stepWith(optimizer, 5);
  (optimizer.paramGroups[0].lr as Tensor).copy_(9);
  assertEquals((saved.state[0].exp_avg as Tensor).toArray(), before);
  assertEquals((saved.state[0].step as Tensor).item(), 1);
  assertEquals((saved.param_groups[0].lr as Tensor).item(), 0.1);
});

Deno.test("loading copies the tensors of the state", () => {
  const optimizer = new SGD([parameter(1)], { momentum: 0.5 });
  stepWith(optimizer, 1);
  const saved = optimizer.stateDict();
  optimizer.loadStateDict(saved);
  (saved.state[0].momentum_buffer as Tensor).copy_(7);
  assertEquals((optimizer.stateDict().state[0].momentum_buffer as Tensor).toArray(), [1]);
});

Deno.test("loading replaces hyperparameters in the group that others hold", () => {
  const optimizer = new SGD([parameter(1)], { lr: 0.1 });
  const group = optimizer.paramGroups[0];
  const { params } = group;
  optimizer.loadStateDict(new SGD([parameter(1)], { lr: 0.7, momentum: 0.3 }).stateDict());
  assertEquals([group.lr, group.momentum], [0.7, 0.3]);
  assertEquals(group.params === params, true);
  assertEquals(optimizer.paramGroups[0] === group, true);
});

Deno.test("loading drops the state that was there", () => {
  const optimizer = new SGD([parameter(1)], { momentum: 0.5 });
  const fresh = optimizer.stateDict();
  stepWith(optimizer, 1);
  optimizer.loadStateDict(fresh);
  assertEquals(optimizer.state.size, 0);
});

Deno.test("a momentum_buffer of null makes the next step the first", () => {
  const p = parameter(0);
  const optimizer = new SGD([p], { lr: 1, momentum: 0.5, dampening: 1 });
  stepWith(optimizer, 1);
  const { param_groups } = optimizer.stateDict();
  optimizer.loadStateDict({ state: { 0: { momentum_buffer: null } }, param_groups });
  stepWith(optimizer, 1);
  assertEquals(p.toArray(), [-2]);
});

Deno.test("parameters are matched by their order, whatever their indices", () => {
  const optimizer = new SGD([parameter(1), parameter(2)], { momentum: 0.5 });
  const [group] = optimizer.stateDict().param_groups;
  optimizer.loadStateDict({
    state: { 7: { momentum_buffer: tensor([70]) }, 3: { momentum_buffer: tensor([30]) } },
    param_groups: [{ ...group, params: [7, 3] }],
  });
  const { state } = optimizer.stateDict();
  assertEquals((state[0].momentum_buffer as Tensor).toArray(), [70]);
  assertEquals((state[1].momentum_buffer as Tensor).toArray(), [30]);
});

Deno.test("options of PyTorch's implementations are read over, other keys of a group are kept", () => {
  const optimizer = new SGD([parameter(1)]);
  const [group] = optimizer.stateDict().param_groups;
  optimizer.loadStateDict({
    state: {},
    param_groups: [{ ...group, foreach: null, fused: false, initial_lr: 0.5, tag: "head" }],
  });
  const [saved] = optimizer.stateDict().param_groups;
  assertEquals([saved.initial_lr, saved.tag, "foreach" in saved], [0.5, "head", false]);
});

Deno.test("AdamW reads a state of Adam and stays decoupled", () => {
  const adam = new Adam([parameter(1)], { weightDecay: 0.1 });
  stepWith(adam, 1);
  const adamW = new AdamW([parameter(1)]);
  adamW.loadStateDict(adam.stateDict());
  assertEquals(adamW.paramGroups[0].decoupledWeightDecay, true);
  assertEquals(adamW.paramGroups[0].weightDecay, 0.1);
});

Deno.test("amsgrad that is turned on later begins with zeros", () => {
  const optimizer = new Adam([parameter(1)]);
  stepWith(optimizer, 1);
  optimizer.paramGroups[0].amsgrad = true;
  stepWith(optimizer, 1);
  assertEquals(Object.keys(optimizer.stateDict().state[0]), [
    "step",
    "exp_avg",
    "exp_avg_sq",
    "max_exp_avg_sq",
  ]);
});

/** A fault in a state dict of Adam with one parameter of two elements. */
interface Fault {
  what: string;
  change(saved: OptimizerStateDict): unknown;
  error: typeof TypeError | typeof RangeError;
  message: string;
}

const faults: Fault[] = [
  {
    what: "another number of groups",
    change: ({ state, param_groups: [group] }) => ({ state, param_groups: [group, group] }),
    error: RangeError,
    message: "got 2 parameter groups, expected 1",
  },
  {
    what: "another number of parameters",
    change: ({ state, param_groups: [g] }) => ({ state, param_groups: [{ ...g, params: [0, 1] }] }),
    error: RangeError,
    message: "got 2 parameters in group 0, expected 1",
  },
  {
    what: "a group without params",
    change: ({ state }) => ({ state, param_groups: [{ lr: 1 }] }),
    error: TypeError,
    message: "got params undefined in group 0",
  },
  {
    what: "state of a parameter that no group has",
    change: ({ state, param_groups }) => ({ state: { 0: state[0], 4: state[0] }, param_groups }),
    error: RangeError,
    message: "got state of a parameter 4",
  },
  {
    what: "a tensor of another shape",
    change: ({ state, param_groups }) => ({
      state: { 0: { ...state[0], exp_avg: zeros([3]) } },
      param_groups,
    }),
    error: RangeError,
    message: "got state[0].exp_avg of shape [3], expected [2] as its parameter",
  },
  {
    what: "a value that is no tensor",
    change: ({ state, param_groups }) => ({
      state: { 0: { ...state[0], exp_avg: 3 } },
      param_groups,
    }),
    error: TypeError,
    message: "got state[0].exp_avg number 3, expected a Tensor",
  },
  {
    what: "a step that is no number",
    change: ({ state, param_groups }) => ({
      state: { 0: { ...state[0], step: zeros([2]) } },
      param_groups,
    }),
    error: TypeError,
    message: "got state[0].step a Tensor of shape [2], expected a number",
  },
  {
    what: "a missing entry",
    change: ({ state, param_groups }) => ({
      state: { 0: { step: state[0].step } },
      param_groups,
    }),
    error: RangeError,
    message: "got state[0] without exp_avg, expected step, exp_avg, exp_avg_sq",
  },
  {
    what: "the state of another optimizer",
    change: ({ param_groups }) => ({
      state: { 0: { momentum_buffer: zeros([2]) } },
      param_groups,
    }),
    error: RangeError,
    message: "got state[0].momentum_buffer, expected one of step, exp_avg",
  },
  {
    what: "an entry that is no object",
    change: ({ param_groups }) => ({ state: { 0: 3 }, param_groups }),
    error: TypeError,
    message: "got state[0] number 3",
  },
  { what: "nothing", change: () => undefined, error: TypeError, message: "got undefined" },
  { what: "a Map", change: () => new Map(), error: TypeError, message: "got a Map" },
];

for (const { what, change, error, message } of faults) {
  Deno.test(`loadStateDict refuses ${what} and changes nothing`, () => {
    const optimizer = new Adam([parameter(1, 2)], { lr: 0.1 });
    stepWith(optimizer, 1);
    const before = optimizer.stateDict();
    const donor = new Adam([parameter(1, 2)], { lr: 0.9 });
    stepWith(donor, 3);
    const wrong = change(donor.stateDict()) as OptimizerStateDict;
    assertThrows(() => optimizer.loadStateDict(wrong), error, message);
    const after = optimizer.stateDict();
    assertEquals(after.param_groups, before.param_groups);
    assertEquals(
      (after.state[0].exp_avg as Tensor).toArray(),
      (before.state[0].exp_avg as Tensor).toArray(),
    );
    assertEquals(after.state[0].step instanceof Tensor, true);
  });
}

Deno.test("the state of an optimizer of one's own is what it begins with, unless it says otherwise", () => {
  type State = { velocity: Tensor; count: number };
  class Own extends Optimizer<LearningRate, State> {
    constructor(params: Iterable<Tensor>, lr: number) {
      super(params, { lr }, { defaults: { lr: 0.1 } });
    }
    protected override initialState(param: Tensor): State {
      return { velocity: zeros(param.shape), count: 0 };
    }
    protected override update(param: Tensor, grad: Tensor, group: ParamGroup<LearningRate>): void {
      const state = this.stateOf(param, group);
      state.count++;
      state.velocity.copy_(state.velocity.add(grad));
      param.copy_(param.sub(state.velocity.mul(group.lr)));
    }
  }
  const [w, v] = [parameter(1, 2), parameter(1, 2)];
  const [first, second] = [new Own([w], 0.5), new Own([v], 0.5)];
  stepWith(first as unknown as Optimizer, 3);
  const saved = first.stateDict();
  second.loadStateDict(saved);
  assertEquals(second.state.get(v)!.count, 1);
  assertEquals(second.state.get(v)!.velocity.toArray(), [3, 3]);
  assertThrows(
    () => second.loadStateDict({ ...saved, state: { 0: { count: 1 } } }),
    RangeError,
    "got state[0] without velocity, expected count, velocity",
  );
  assertThrows(
    () => second.loadStateDict({ ...saved, state: { 0: { ...saved.state[0], other: 1 } } }),
    RangeError,
    "got state[0].other, expected one of count, velocity",
  );
});
