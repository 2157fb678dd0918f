import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Generator, nn, ones, optim, randn, type Tensor, tensor } from "../../mod.ts";

const { BatchNorm1d, Linear, Module, Sequential } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

function net(): nn.Sequential {
  return new Sequential(new Linear(3, 2), new BatchNorm1d(2));
}

function trained(): nn.Sequential {
  const model = net();
  model.forward(batch([8, 3])).sum().backward();
  return model;
}

function values(model: nn.Module): unknown {
  return [...model.stateDict()].map(([name, value]) => [name, value.toArray()]);
}

/** The entries as a file gives them back: without metadata. */
function plain(state: nn.StateDict): Map<string, Tensor> {
  return new Map(state);
}

Deno.test("a state dict lists parameters and buffers in registration order, parameters first", () => {
  class Net extends Module {
    scale = this.registerBuffer("scale", ones([1]));
    fc = new Linear(3, 2);
    bn = new BatchNorm1d(2);
    gain = this.registerParameter("gain", ones([2]));
  }
  assertEquals([...new Net().stateDict().keys()], [
    "gain",
    "scale",
    "fc.weight",
    "fc.bias",
    "bn.weight",
    "bn.bias",
    "bn.running_mean",
    "bn.running_var",
    "bn.num_batches_tracked",
  ]);
});

Deno.test("a state dict carries each module's version: 2 for what tracks, 1 for the rest", () => {
  const { metadata } = new Sequential(
    new Linear(3, 2),
    new BatchNorm1d(2),
    new nn.InstanceNorm1d(2),
  )
    .stateDict();
  assertEquals([...metadata], [
    ["", { version: 1 }],
    ["0", { version: 1 }],
    ["1", { version: 2 }],
    ["2", { version: 2 }],
  ]);
});

Deno.test("the tensors of a state dict are off the tape and share their values", () => {
  const model = net();
  const state = model.stateDict();
  const weight = state.get("0.weight")!;
  assertFalse(weight.requiresGrad);
  weight.copy_(5);
  assertEquals((model.at(0) as nn.Linear).weight.toArray(), [[5, 5, 5], [5, 5, 5]]);
});

Deno.test("a prefix goes before every name and the metadata", () => {
  const state = net().stateDict({ prefix: "model" });
  assertEquals([...state.keys()].slice(0, 3), ["model.0.weight", "model.0.bias", "model.1.weight"]);
  assert(state.metadata.has("model.1"));
});

Deno.test("loading copies in place: parameters keep their identity and the optimizer its hold", () => {
  const [model, source] = [net(), trained()];
  const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
  const before = model.parameters();
  assertEquals(model.loadStateDict(source.stateDict()), { missingKeys: [], unexpectedKeys: [] });
  model.parameters().forEach((parameter, i) => assertStrictEquals(parameter, before[i]));
  assertEquals(values(model), values(source));
  model.forward(batch([8, 3], 2)).square().sum().backward();
  optimizer.step();
  assert(String(values(model)) !== String(values(source)));
  assert(model.parameters().every((parameter) => parameter.requiresGrad && parameter.isLeaf));
});

Deno.test("loading copies: a later edit of the state is none of the model", () => {
  const model = net();
  const state = plain(trained().stateDict());
  model.loadStateDict(state);
  const before = values(model);
  for (const value of state.values()) value.copy_(9);
  assertEquals(values(model), before);
});

Deno.test("loading a state into its own model changes nothing", () => {
  const model = trained();
  const before = values(model);
  model.loadStateDict(model.stateDict());
  assertEquals(values(model), before);
});

Deno.test("a state without metadata, or before version 2, may lack num_batches_tracked: it stays", () => {
  for (const version of [null, 1]) {
    const source = trained().stateDict();
    source.delete("1.num_batches_tracked");
    const state = version === null ? plain(source) : source;
    if (version !== null) source.metadata.set("1", { version });
    const model = net();
    model.forward(batch([8, 3], 3));
    model.forward(batch([8, 3], 4));
    assertEquals(model.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] });
    assertEquals((model.at(1) as nn.BatchNorm1d).numBatchesTracked!.item(), 2);
    assertEquals((model.at(1) as nn.BatchNorm1d).runningMean!.toArray(), [
      ...source.get("1.running_mean")!.data,
    ]);
  }
});

Deno.test("a state of version 2 must have num_batches_tracked", () => {
  const state = trained().stateDict();
  state.delete("1.num_batches_tracked");
  assertThrows(
    () => net().loadStateDict(state),
    RangeError,
    'Missing key(s) in state_dict: "1.num_batches_tracked".',
  );
});

Deno.test("entries that the module does not have are unexpected", () => {
  const state = new BatchNorm1d(2).stateDict();
  for (
    const [options, names] of [
      [{ affine: false }, '"weight", "bias"'],
      [{ trackRunningStats: false }, '"running_mean", "running_var", "num_batches_tracked"'],
    ] as const
  ) {
    const error = assertThrows(
      () => new BatchNorm1d(2, options).loadStateDict(state),
      RangeError,
    );
    assert(error.message.endsWith(`Unexpected key(s) in state_dict: ${names}.`), error.message);
  }
});

Deno.test("strict: false returns what did not match and loads what did", () => {
  const state = plain(trained().stateDict());
  state.delete("0.bias");
  state.set("2.weight", ones([1]));
  const model = net();
  const bias = (model.at(0) as nn.Linear).bias!.toArray();
  assertEquals(model.loadStateDict(state, { strict: false }), {
    missingKeys: ["0.bias"],
    unexpectedKeys: ["2.weight"],
  });
  assertEquals((model.at(0) as nn.Linear).bias!.toArray(), bias);
  assertEquals((model.at(0) as nn.Linear).weight.toArray(), state.get("0.weight")!.toArray());
});

Deno.test("a shape that differs throws, also with strict: false, and changes nothing", () => {
  for (const strict of [true, false]) {
    const state = plain(trained().stateDict());
    state.set("1.bias", ones([3]));
    const model = net();
    const before = values(model);
    assertThrows(
      () => model.loadStateDict(state, { strict }),
      RangeError,
      "size mismatch for 1.bias: got shape [3], expected [2].",
    );
    assertEquals(values(model), before);
  }
});

Deno.test("a list of one element is taken for a scalar, as PyTorch does for its first files", () => {
  const state = plain(new BatchNorm1d(1).stateDict());
  const bn = new BatchNorm1d(1);
  bn.loadStateDict(state.set("num_batches_tracked", tensor([7])));
  assertEquals([bn.numBatchesTracked!.shape, bn.numBatchesTracked!.item()], [[], 7]);
  for (const [key, value] of [["num_batches_tracked", ones([2])], ["weight", ones([])]] as const) {
    assertThrows(
      () => bn.loadStateDict(new Map(state).set(key, value)),
      RangeError,
      `size mismatch for ${key}`,
    );
  }
});

Deno.test("all faults of a load stand in one error, and nothing is changed", () => {
  const state: Record<string, unknown> = Object.fromEntries(trained().stateDict());
  delete state["0.bias"];
  delete state["1.weight"];
  state.extra = ones([1]);
  state["0.weight"] = ones([2, 2]);
  state["1.bias"] = [1, 2];
  const model = net();
  const before = values(model);
  const error = assertThrows(
    () => model.loadStateDict(state as Record<string, Tensor>),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot load the state dict of Sequential: " +
      'Missing key(s) in state_dict: "0.bias", "1.weight". ' +
      'Unexpected key(s) in state_dict: "extra". ' +
      "size mismatch for 0.weight: got shape [2, 2], expected [2, 3]. " +
      "kind mismatch for 1.bias: got object, expected a Tensor.",
  );
  assertEquals(values(model), before);
});

Deno.test("a state is a Map, a StateDict or an object; anything else is refused", () => {
  const source = trained();
  for (const state of [source.stateDict(), plain(source.stateDict())]) {
    const model = net();
    model.loadStateDict(state);
    assertEquals(values(model), values(source));
    const other = net();
    other.loadStateDict(Object.fromEntries(state));
    assertEquals(values(other), values(source));
  }
  for (const state of [null, 5, "state"]) {
    assertThrows(
      () => net().loadStateDict(state as unknown as Map<string, Tensor>),
      TypeError,
      "expected a Map or an object",
    );
  }
});

Deno.test("loading is an edit that the tape notices, and no gradient's business", () => {
  const model = new Linear(3, 2);
  const x = batch([4, 3]).requiresGrad_();
  const y = model.forward(x);
  model.loadStateDict(new Linear(3, 2).stateDict());
  assertThrows(() => y.sum().backward(), Error, "edited in place");
  assertStrictEquals(model.weight.grad, null);
});

Deno.test("a buffer or parameter that is set to null leaves the state, and comes back with a value", () => {
  const bn = new BatchNorm1d(2);
  bn.runningMean = null;
  bn.bias = null;
  assertEquals([...bn.stateDict().keys()], ["weight", "running_var", "num_batches_tracked"]);
  assertEquals(bn.namedBuffers().map(([name]) => name), ["running_var", "num_batches_tracked"]);
  assertEquals(bn.parameters().length, 1);
  bn.runningMean = tensor([3, 4]);
  assertEquals(bn.stateDict().get("running_mean")!.toArray(), [3, 4]);
});

Deno.test("a field that is replaced is the parameter from then on", () => {
  const layer = new Linear(2, 1);
  const weight = new nn.Parameter(tensor([[7, 8]]));
  layer.weight = weight;
  assertStrictEquals(layer.namedParameters()[0][1], weight);
  assertEquals(layer.stateDict().get("weight")!.toArray(), [[7, 8]]);
});

Deno.test("buffers that are not persistent are listed and not saved", () => {
  class Net extends Module {
    kept = this.registerBuffer("kept", ones([1]));
    passing = this.registerBuffer("passing", ones([2]), { persistent: false });
    field = new nn.Buffer(ones([3]), { persistent: false });
    saved = new nn.Buffer(ones([4]));
  }
  const model = new Net();
  assertEquals(model.namedBuffers().map(([name]) => name), ["kept", "passing", "field", "saved"]);
  assertEquals([...model.stateDict().keys()], ["kept", "saved"]);
  assertEquals(model.loadStateDict(new Map([["kept", ones([1])], ["saved", ones([4])]])), {
    missingKeys: [],
    unexpectedKeys: [],
  });
  assertThrows(
    () => model.loadStateDict(new Map([...model.stateDict(), ["passing", ones([2])]])),
    RangeError,
    'Unexpected key(s) in state_dict: "passing".',
  );
});

Deno.test("a shared module is listed once by namedParameters and saved under both names", () => {
  const shared = new Linear(2, 2);
  const model = new Sequential(shared, new nn.ReLU(), shared);
  assertEquals(model.namedParameters().map(([name]) => name), ["0.weight", "0.bias"]);
  assertEquals(
    model.namedParameters({ removeDuplicate: false }).map(([name]) => name),
    ["0.weight", "0.bias", "2.weight", "2.bias"],
  );
  const state = model.stateDict();
  assertEquals([...state.keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
  const other = new Linear(2, 2);
  const copy = new Sequential(other, new nn.ReLU(), other);
  copy.loadStateDict(state);
  assertEquals(values(copy), values(model));
});

Deno.test("a shared parameter is listed once and saved under both names", () => {
  class Tied extends Module {
    encode = new Linear(2, 3, { bias: false });
    decode = new Linear(3, 2, { bias: false });
    constructor() {
      super();
      this.decode.weight = this.encode.weight;
    }
  }
  const model = new Tied();
  assertEquals(model.namedParameters().map(([name]) => name), ["encode.weight"]);
  assertEquals([...model.stateDict().keys()], ["encode.weight", "decode.weight"]);
});

Deno.test("a lazy layer that a state does not fit is as before", () => {
  const lazy = new nn.LazyBatchNorm2d();
  const state = plain(new nn.BatchNorm2d(3).stateDict());
  state.set("running_var", ones([4]));
  assertThrows(() => lazy.loadStateDict(state), RangeError, "size mismatch for running_var");
  assertInstanceOf(lazy, nn.LazyBatchNorm2d);
  assertEquals([lazy.numFeatures, lazy.weight!.shape, lazy.runningMean!.shape], [0, [0], [0]]);
  state.set("running_var", ones([3]));
  lazy.loadStateDict(state);
  assertEquals([lazy.numFeatures, lazy.constructor.name], [3, "BatchNorm2d"]);
  assertEquals(lazy.forward(batch([2, 3, 4, 4])).shape, [2, 3, 4, 4]);
});

Deno.test("what is loaded into InstanceNorm follows the same rules", () => {
  const source = new nn.InstanceNorm1d(2, { affine: true, trackRunningStats: true });
  const state = source.stateDict();
  assertEquals([...state.keys()], [
    "weight",
    "bias",
    "running_mean",
    "running_var",
    "num_batches_tracked",
  ]);
  assertEquals([...new nn.InstanceNorm1d(2).stateDict().keys()], []);
  const old = plain(state);
  old.delete("num_batches_tracked");
  const target = new nn.InstanceNorm1d(2, { affine: true, trackRunningStats: true });
  assertEquals(target.loadStateDict(old).missingKeys, []);
});
