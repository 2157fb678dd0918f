/**
 * The workloads, done with Tapegrad.
 *
 * @module
 */
import { valuesOf } from "../autograd/internal.ts";
import * as tapegrad from "../mod.ts";
import type { Inputs } from "./peers/inputs.ts";
import type { Prepared } from "./peers/protocol.ts";
import { LEARNING_RATE, parameterShapes, type Work } from "./peers/workloads.ts";

const { add, exp, grad, matmul, mul, noGrad, nn, optim, sum, tensor } = tapegrad;
type Tensor = tapegrad.Tensor;
const { batchNorm, conv2d, crossEntropy, relu } = nn.functional;

/** The network as a row of layers, which does in one pass what it can, with the given parameters. */
function network(
  work: Work & { kind: "mlp" | "cnn" },
  given: Record<string, Tensor>,
): { row: tapegrad.nn.Sequential; parameters: Record<string, Tensor> } {
  const layers: tapegrad.nn.Module[] = [];
  const parameters: Record<string, Tensor> = {};
  const take = (name: string, parameter: Tensor | null) => {
    parameters[name] = noGrad(() => parameter!.copy_(given[name]));
  };
  const norm = (layer: tapegrad.nn.BatchNorm, i: number) => {
    take(`normWeight${i}`, layer.weight);
    take(`normBias${i}`, layer.bias);
    layers.push(layer, new nn.ReLU());
  };
  const linear = (from: number, to: number, suffix: string) => {
    const layer = new nn.Linear(from, to);
    take(`weight${suffix}`, layer.weight);
    take(`bias${suffix}`, layer.bias);
    layers.push(layer);
  };
  if (work.kind === "cnn") {
    for (const [i, channels] of work.channels.entries()) {
      const conv = new nn.Conv2d(i === 0 ? 1 : work.channels[i - 1], channels, 3, {
        padding: 1,
        bias: false,
      });
      take(`convWeight${i}`, conv.weight);
      layers.push(conv);
      norm(new nn.BatchNorm2d(channels), i);
      layers.push(new nn.MaxPool2d(2));
    }
    layers.push(new nn.Flatten());
    linear(given.weight.shape[1], work.classes, "");
  } else {
    const last = work.widths.length - 2;
    for (let i = 0; i <= last; i++) {
      linear(work.widths[i], work.widths[i + 1], String(i));
      if (i < last) norm(new nn.BatchNorm1d(work.widths[i + 1]), i);
    }
  }
  return { row: new nn.Sequential(...layers), parameters };
}

function training(work: Work & { kind: "mlp" | "cnn" }, inputs: Inputs): Prepared {
  const { x, target, ...given } = tensors(inputs);
  const names = parameterShapes(work).map(([name]) => name);
  const { row, parameters } = network(work, given);
  const forward = (): Tensor => crossEntropy(row.forward(x), target);
  const optimizer = new optim.SGD(names.map((name) => parameters[name]), { lr: LEARNING_RATE });
  const run = (): Tensor => {
    optimizer.zeroGrad();
    const loss = forward();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return {
    run,
    results() {
      const loss = run();
      const gradients = names.map((name): [string, Float64Array] => [
        `d${name}`,
        parameters[name].grad!.data,
      ]);
      return { loss: loss.data, ...Object.fromEntries(gradients), lossAfter: forward().data };
    },
  };
}

function tensors(inputs: Inputs): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, values }]) => [name, tensor(values, { shape })]),
  );
}

/** Forward, and the gradients of y·g by each of `wanted`. */
function pull(forward: () => Tensor, g: Tensor, wanted: Record<string, Tensor>): Prepared {
  const leaves = Object.values(wanted).map((leaf) => leaf.requiresGrad_());
  const run = () => {
    const y = forward();
    return [y, ...grad([y], leaves, { gradOutputs: [g] })];
  };
  return {
    run,
    results() {
      const [y, ...gradients] = run();
      const named = Object.keys(wanted).map((name, i) => [`d${name}`, gradients[i]!.data]);
      return { y: y!.data, ...Object.fromEntries(named) };
    },
  };
}

/** Gets a piece of work ready to run. */
export function prepare(work: Work, inputs: Inputs): Prepared {
  const { x, y, a, b, g, weight, bias } = tensors(inputs);
  switch (work.kind) {
    case "matmul": {
      const run = () => noGrad(() => matmul(a, b));
      return { run, results: () => ({ out: run().data }) };
    }
    case "elementwise": {
      const operations = { add: () => add(x, y), relu: () => relu(x), exp: () => exp(x) };
      const f = work.op === "sum" ? () => sum(x) : operations[work.op];
      const run = () => noGrad(f);
      // Reading is what makes it compute.
      return { run: () => valuesOf(run()), results: () => ({ out: run().data }) };
    }
    case "batchNorm": {
      const mean = tapegrad.zeros(weight.shape);
      const variance = tapegrad.ones(weight.shape);
      return pull(
        () => batchNorm(x, mean, variance, weight, bias, { training: true }),
        g,
        { x, weight, bias },
      );
    }
    case "conv": {
      const padding = (work.kernel - 1) / 2;
      return pull(() => conv2d(x, weight, null, { padding }), g, { x, weight });
    }
    case "trackedAdd": {
      x.requiresGrad_();
      return {
        run() {
          for (let i = 0; i < work.times; i++) add(x, y);
        },
        results() {
          const out = add(x, y);
          return { out: out.data, dx: grad([out.sum()], [x])[0]!.data };
        },
      };
    }
    case "tiny": {
      x.requiresGrad_();
      const run = () => {
        let h = x;
        for (let i = 0; i < work.operations; i += 2) h = add(mul(h, a), b);
        return [h, ...grad([sum(h)], [x])];
      };
      return {
        run,
        results() {
          const [out, dx] = run();
          return { out: out!.data, dx: dx!.data };
        },
      };
    }
    case "chain": {
      const run = () => {
        let h = x;
        for (let i = 0; i < work.operations; i += 3) h = relu(add(mul(h, a), b));
        return h;
      };
      return { run: () => noGrad(() => sum(run()).item()), results: () => ({ out: run().data }) };
    }
    case "mlp":
    case "cnn":
      return training(work, inputs);
  }
}
