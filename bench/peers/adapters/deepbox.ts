/**
 * deepbox as a peer: its own layers where it has them, with our weights in them.
 *
 * @module
 */
import type { GradTensor, Tensor } from "npm:deepbox@1.0.0/ndarray";
import type { Inputs, Values } from "../inputs.ts";
import { type Adapter, type Prepared, serve, TOLERANCE } from "../protocol.ts";
import { LEARNING_RATE, parameterShapes, type Work } from "../workloads.ts";

async function start(): Promise<Adapter> {
  const nd = await import("npm:deepbox@1.0.0/ndarray");
  const nn = await import("npm:deepbox@1.0.0/nn");
  const { SGD } = await import("npm:deepbox@1.0.0/optim");
  const { setDtype } = await import("npm:deepbox@1.0.0/core");
  setDtype("float64");

  const constant = ({ shape, values }: Values): Tensor =>
    nd.Tensor.fromTypedArray({
      data: values,
      shape: [...shape],
      dtype: "float64",
      device: "cpu",
    }) as Tensor;
  const leaf = (input: Values, requiresGrad = true): GradTensor =>
    nd.GradTensor.fromTensor(constant(input), { requiresGrad, dtype: "float64" });
  const values = (tensor: Tensor | GradTensor): Float64Array => {
    const { data, offset, size } = tensor;
    return Float64Array.from(data as Float64Array).subarray(offset, offset + size);
  };

  /** Puts our values into a layer's parameters, which it has in this order. */
  function fill<M extends { parameters(): Iterable<GradTensor> }>(
    layer: M,
    ...inputs: readonly Values[]
  ): M {
    for (const [i, parameter] of [...layer.parameters()].entries()) {
      (parameter.data as Float64Array).set(inputs[i].values);
    }
    return layer;
  }

  function pull(
    forward: () => GradTensor,
    g: Values,
    wanted: Record<string, GradTensor>,
  ): Prepared {
    const cotangent = constant(g);
    const run = () => {
      for (const input of Object.values(wanted)) input.zeroGrad();
      const y = forward();
      y.backward(cotangent);
      return y;
    };
    return {
      run,
      results() {
        const y = values(run());
        const named = Object.entries(wanted).map(([name, x]) => [`d${name}`, values(x.grad!)]);
        return { y, ...Object.fromEntries(named) };
      },
    };
  }

  function training(work: Work & { kind: "mlp" | "cnn" }, inputs: Inputs): Prepared {
    const x = leaf(inputs.x, false);
    const target = constant(inputs.target);
    const parameters: GradTensor[] = [];
    const names = parameterShapes(work).map(([name]) => name);
    const keep = <M extends { parameters(): Iterable<GradTensor> }>(layer: M, ...of: string[]) => {
      fill(layer, ...of.map((name) => inputs[name]));
      parameters.push(...layer.parameters());
      return layer;
    };
    const layers: ((h: GradTensor) => GradTensor)[] = [];
    if (work.kind === "cnn") {
      for (const i of work.channels.keys()) {
        const [out, before] = inputs[`convWeight${i}`].shape;
        const conv = keep(
          new nn.Conv2d(before, out, 3, { padding: 1, bias: false }),
          `convWeight${i}`,
        );
        const norm = keep(new nn.BatchNorm2d(out), `normWeight${i}`, `normBias${i}`);
        const pool = new nn.MaxPool2d(2);
        layers.push((h) => pool.forward(norm.forward(conv.forward(h)).relu()));
      }
      const [classes, features] = inputs.weight.shape;
      const last = keep(new nn.Linear(features, classes, { dtype: "float64" }), "weight", "bias");
      layers.push((h) => last.forward(h.reshape([h.shape[0], features])));
    } else {
      const depth = work.widths.length - 1;
      for (let i = 0; i < depth; i++) {
        const [width, before] = inputs[`weight${i}`].shape;
        const linear = keep(
          new nn.Linear(before, width, { dtype: "float64" }),
          `weight${i}`,
          `bias${i}`,
        );
        if (i === depth - 1) layers.push((h) => linear.forward(h));
        else {
          const norm = keep(new nn.BatchNorm1d(width), `normWeight${i}`, `normBias${i}`);
          layers.push((h) => norm.forward(linear.forward(h)).relu());
        }
      }
    }
    const forward = () =>
      nn.crossEntropyLoss(layers.reduce((h, layer) => layer(h), x), target) as GradTensor;
    const optimizer = new SGD(parameters, { lr: LEARNING_RATE });
    const run = () => {
      optimizer.zeroGrad();
      const loss = forward();
      loss.backward();
      optimizer.step();
      return loss;
    };
    return {
      run,
      results() {
        const loss = values(run());
        const named = names.map((name, i) => [`d${name}`, values(parameters[i].grad!)]);
        return { loss, ...Object.fromEntries(named), lossAfter: values(forward()) };
      },
    };
  }

  function prepare(work: Work, inputs: Inputs): Prepared {
    switch (work.kind) {
      case "matmul": {
        const a = constant(inputs.a), b = constant(inputs.b);
        const run = () =>
          nd.noGrad(() =>
            nd.GradTensor.fromTensor(a, { requiresGrad: false }).matmul(
              nd.GradTensor.fromTensor(b, { requiresGrad: false }),
            )
          );
        return { run, results: () => ({ out: values(run()) }) };
      }
      case "elementwise": {
        const x = constant(inputs.x), y = constant(inputs.y);
        const run = {
          add: () => nd.add(x, y),
          relu: () => nd.relu(x),
          exp: () => nd.exp(x),
          sum: () => nd.sum(x),
        }[work.op];
        return { run, results: () => ({ out: values(run()) }) };
      }
      case "batchNorm": {
        const channels = work.shape[1];
        const layer = work.shape.length === 2
          ? new nn.BatchNorm1d(channels)
          : new nn.BatchNorm2d(channels);
        const [weight, bias] = fill(layer, inputs.weight, inputs.bias).parameters();
        const x = leaf(inputs.x);
        return pull(() => layer.forward(x), inputs.g, { x, weight, bias });
      }
      case "conv": {
        const layer = fill(
          new nn.Conv2d(work.shape[1], work.channels, work.kernel, {
            padding: (work.kernel - 1) / 2,
            bias: false,
          }),
          inputs.weight,
        );
        const x = leaf(inputs.x);
        return pull(() => layer.forward(x), inputs.g, { x, weight: layer.weight });
      }
      case "trackedAdd": {
        const x = leaf(inputs.x), y = leaf(inputs.y, false);
        return {
          run() {
            for (let i = 0; i < work.times; i++) x.add(y);
          },
          results() {
            x.zeroGrad();
            const out = x.add(y);
            out.sum().backward();
            return { out: values(out), dx: values(x.grad!) };
          },
        };
      }
      case "tiny": {
        const x = leaf(inputs.x), a = leaf(inputs.a, false), b = leaf(inputs.b, false);
        const run = () => {
          x.zeroGrad();
          let h = x;
          for (let i = 0; i < work.operations; i += 2) h = h.mul(a).add(b);
          h.sum().backward();
          return h;
        };
        return { run, results: () => ({ out: values(run()), dx: values(x.grad!) }) };
      }
      case "chain": {
        const x = leaf(inputs.x, false), a = leaf(inputs.a, false), b = leaf(inputs.b, false);
        const run = () =>
          nd.noGrad(() => {
            let h = x;
            for (let i = 0; i < work.operations; i += 3) h = h.mul(a).add(b).relu();
            return h;
          });
        return { run: () => run().sum(), results: () => ({ out: values(run()) }) };
      }
      case "mlp":
      case "cnn":
        return training(work, inputs);
    }
  }

  return { version: "1.0.0", dtype: "float64", tolerance: TOLERANCE.float64, prepare };
}

await serve(start);
