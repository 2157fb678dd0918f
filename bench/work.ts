/**
 * The workloads, done with Tapegrad.
 *
 * @module
 */
import * as tapegrad from "../mod.ts";
import type { Inputs } from "./peers/inputs.ts";
import type { Prepared } from "./peers/protocol.ts";
import { LEARNING_RATE, parameterShapes, type Work } from "./peers/workloads.ts";

const { add, exp, grad, matmul, mul, noGrad, nn, optim, sum, tensor } = tapegrad;
type Tensor = tapegrad.Tensor;
const { batchNorm, conv2d, crossEntropy, linear, maxPool2d, relu } = nn.functional;

function training(work: Work & { kind: "mlp" | "cnn" }, inputs: Inputs): Prepared {
  const { x, target, ...parameters } = tensors(inputs);
  const names = parameterShapes(work).map(([name]) => name);
  for (const name of names) parameters[name].requiresGrad_();
  const statistics = names.filter((name) => name.startsWith("normBias")).map((name) => {
    const { shape } = parameters[name];
    return [tapegrad.zeros(shape), tapegrad.ones(shape)] as const;
  });
  const norm = (h: Tensor, i: number): Tensor =>
    batchNorm(
      h,
      ...statistics[i],
      parameters[`normWeight${i}`],
      parameters[`normBias${i}`],
      { training: true },
    );
  const forward = (): Tensor => {
    let h = x;
    if (work.kind === "cnn") {
      for (const i of work.channels.keys()) {
        h = conv2d(h, parameters[`convWeight${i}`], null, { padding: 1 });
        h = maxPool2d(relu(norm(h, i)), 2);
      }
      h = linear(h.flatten({ startDim: 1 }), parameters.weight, parameters.bias);
    } else {
      const last = work.widths.length - 2;
      for (let i = 0; i <= last; i++) {
        h = linear(h, parameters[`weight${i}`], parameters[`bias${i}`]);
        if (i < last) h = relu(norm(h, i));
      }
    }
    return crossEntropy(h, target);
  };
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
      return { run, results: () => ({ out: run().data }) };
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
    case "mlp":
    case "cnn":
      return training(work, inputs);
  }
}
