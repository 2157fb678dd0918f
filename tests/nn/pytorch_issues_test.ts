// What PyTorch's issue tracker has against BatchNorm, and the right answers. The number is the issue's.
import { within } from "../assert_close.ts";
import { assert, assertEquals } from "@std/assert";
import {
  Generator,
  grad,
  nn,
  noGrad,
  optim,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d, BatchNorm2d, Linear, Sequential } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

const assertClose = within(1e-12);

function gradients(model: nn.Module): Tensor[] {
  return model.parameters().map((parameter) => parameter.grad!);
}

/** A network whose statistics are not the first ones. */
function net(): nn.Sequential {
  const model = new Sequential(
    new Linear(3, 4),
    new BatchNorm1d(4),
    new nn.Tanh(),
    new Linear(4, 2),
  );
  noGrad(() => {
    const generator = new Generator(5);
    for (const p of model.parameters()) p.copy_(randn(p.shape, { generator }));
  });
  model.forward(batch([32, 3], 9).mul(2).add(1));
  return model;
}

Deno.test("13402: PyTorch's eval backward uses statistics that a later train forward has changed", () => {
  const [model, reference] = [net(), net()];
  const x = batch([8, 3]);
  const loss = (y: Tensor) => y.square().sum();

  loss(reference.eval().forward(x)).backward();

  const y = model.eval().forward(x);
  const { runningVar } = model.at(1) as nn.BatchNorm1d;
  const before = runningVar!.toArray();
  model.train().forward(batch([8, 3], 2).mul(50));
  assert(String(runningVar!.toArray()) !== String(before));
  loss(y).backward();

  gradients(model).forEach((got, i) => assertClose(got, gradients(reference)[i]));
});

Deno.test("13402: so does its second order", () => {
  const bn = new BatchNorm1d(2).eval();
  const run = (between: () => void) => {
    bn.resetRunningStats();
    const x = batch([4, 2]).requiresGrad_();
    const y = bn.eval().forward(x).pow(3).sum();
    between();
    const [first] = grad(y, [x], { createGraph: true });
    return grad(first!.square().sum(), [x])[0]!;
  };
  assertClose(run(() => void bn.train().forward(batch([8, 2], 3).mul(9))), run(() => {}));
});

Deno.test("22095: two forwards and one backward fail in PyTorch once buffers are broadcast before each", () => {
  // A discriminator that sees real and generated data, as under DistributedDataParallel: before each
  // forward the buffers are written in place.
  const [model, reference] = [net(), net()];
  const [real, generated] = [batch([8, 3]), batch([8, 3], 2)];
  const broadcast = () => model.buffers().forEach((buffer) => buffer.copy_(buffer.clone()));
  const loss = (a: Tensor, b: Tensor) => a.exp().mean().add(b.neg().exp().mean());

  loss(reference.forward(real), reference.forward(generated)).backward();
  broadcast();
  const first = model.forward(real);
  broadcast();
  const second = model.forward(generated);
  broadcast();
  loss(first, second).backward();

  gradients(model).forEach((got, i) => assertClose(got, gradients(reference)[i]));
  assertEquals((model.at(1) as nn.BatchNorm1d).numBatchesTracked!.item(), 3);
});

Deno.test("65907, 73332: in evaluation too PyTorch refuses a backward after an edit of the buffers", () => {
  for (const training of [true, false]) {
    const [model, reference] = [net(), net()];
    const x = batch([8, 3]);
    reference.train(training).forward(x).square().sum().backward();

    const loss = model.train(training).forward(x).square().sum();
    const bn = model.at(1) as nn.BatchNorm1d;
    for (const buffer of model.buffers()) buffer.copy_(7);
    bn.loadStateDict({ running_mean: batch([4]), running_var: zeros([4]) }, { strict: false });
    bn.resetRunningStats();
    loss.backward();
    gradients(model).forEach((got, i) => assertClose(got, gradients(reference)[i]));
  }
});

Deno.test("65907: a gradient taken after further forwards is that of its own forward", () => {
  const bn = new BatchNorm2d(2).eval();
  const x = batch([1, 2, 3, 4]).requiresGrad_();
  const before = bn.forward(x).square().sum();
  const [expected] = grad(before, [x], { retainGraph: true });
  for (let i = 0; i < 3; i++) {
    bn.train().forward(batch([4, 2, 3, 4], i).add(10));
    bn.eval().forward(x);
  }
  assertClose(grad(before, [x])[0]!, expected!);
});

Deno.test("66073: a BatchNorm that is to stay in evaluation goes back to training at model.train()", () => {
  const model = net();
  const bn = model.at(1) as nn.BatchNorm1d;
  bn.freeze({ affine: true });
  const optimizer = new optim.SGD(model.parameters().filter((p) => p.requiresGrad), { lr: 0.1 });
  const held = () => [...bn.stateDict().values()].map((value) => value.toArray());
  const before = held();
  for (let epoch = 0; epoch < 3; epoch++) {
    model.train();
    optimizer.zeroGrad();
    model.forward(batch([16, 3], epoch)).square().sum().backward();
    optimizer.step();
    noGrad(() => model.eval().forward(batch([16, 3], epoch)));
  }
  assertEquals(held(), before);
  // And its output is that of evaluation while the rest trains.
  model.train();
  const x = batch([4, 4]);
  assertEquals(bn.forward(x).toArray(), bn.deepCopy().eval().forward(x).toArray());
});

Deno.test("96136: a forward that is run again by checkpointing counts its batch twice in PyTorch", () => {
  /** Keeps nothing of a block but its input, and runs it again for its gradients. */
  function checkpointed(block: nn.Module, x: Tensor): { y: Tensor; backward(g: Tensor): Tensor } {
    const y = nn.noStatsUpdate(() => noGrad(() => block.forward(x)));
    return {
      y,
      backward(g) {
        const input = x.detach().requiresGrad_();
        block.forward(input).backward(g);
        return input.grad!;
      },
    };
  }
  const [model, reference] = [net(), net()];
  const x = batch([8, 3]);
  const input = x.clone().requiresGrad_();
  const expected = reference.forward(input);
  expected.sum().backward();

  const { y, backward } = checkpointed(model, x);
  const dx = backward(zeros([8, 2]).add(1));

  assertClose(y, expected);
  assertClose(dx, input.grad!);
  gradients(model).forEach((got, i) => assertClose(got, gradients(reference)[i]));
  model.buffers().forEach((got, i) => assertClose(got, reference.buffers()[i]));
});

Deno.test("46516: PyTorch counts micro-batches of gradient accumulation as batches of their own", () => {
  const x = batch([32, 3]);
  const whole = net();
  whole.forward(x);
  const [pooled, separate] = [net(), net()];
  (pooled.at(1) as nn.BatchNorm1d).accumulateStats(4);
  for (const part of x.split(8)) {
    pooled.forward(part).square().mean().div(4).backward();
    separate.forward(part);
  }
  pooled.buffers().forEach((got, i) => assertClose(got, whole.buffers()[i]));
  const apart = (model: nn.Module) =>
    model.buffers()[0].sub(whole.buffers()[0]).abs().amax().item();
  assert(apart(separate) > 1e-3);
  // The next updates wait for four forwards again.
  for (const part of x.split(16)) pooled.forward(part);
  assertEquals(pooled.buffers()[2].item(), 2);
});

Deno.test("70529: padding enters PyTorch's statistics; a mask leaves it out, whatever its length", () => {
  const lengths = [5, 2, 4];
  const sequences = lengths.map((length, i) => batch([1, 3, length], i));
  const run = (padded: number, fill: number) => {
    const x = zeros([3, 3, padded]).add(fill);
    const mask = tensor(
      lengths.map((length) => Array.from({ length: padded }, (_, t) => t < length ? 1 : 0)),
    );
    sequences.forEach((sequence, i) => {
      for (let c = 0; c < 3; c++) {
        for (let t = 0; t < lengths[i]; t++) {
          x.data[(i * 3 + c) * padded + t] = sequence.data[c * lengths[i] + t];
        }
      }
    });
    const bn = new BatchNorm1d(3);
    const y = bn.forward(x, { mask });
    return { bn, valid: lengths.map((length, i) => y.narrow(0, i, 1).narrow(2, 0, length)) };
  };
  const [tight, loose] = [run(5, 0), run(40, 1e6)];
  assertClose(loose.bn.runningMean!, tight.bn.runningMean!);
  assertClose(loose.bn.runningVar!, tight.bn.runningVar!);
  tight.valid.forEach((expected, i) => assertClose(loose.valid[i], expected));
});

Deno.test("1402: weight decay in PyTorch shrinks γ and β like any weight", () => {
  const model = net();
  const bn = model.at(1) as nn.BatchNorm1d;
  const groups = optim.paramGroups(model, { weightDecay: 0.5 });
  const optimizer = new optim.SGD(groups, { lr: 0.1 });
  const before = model.parameters().map((parameter) => parameter.clone());
  // Gradients of zero, so that decay alone moves.
  for (const parameter of model.parameters()) parameter.grad = zeros(parameter.shape);
  optimizer.step();
  for (const [i, [name, parameter]] of model.namedParameters().entries()) {
    const decays = name === "0.weight" || name === "3.weight";
    assertClose(parameter, before[i].mul(decays ? 0.95 : 1));
  }
  assert(bn.weight!.requiresGrad);
});
