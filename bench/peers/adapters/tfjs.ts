/**
 * TensorFlow.js as a peer: float32, on its WebAssembly backend.
 *
 * @module
 */
import type { Scalar, Tensor, Variable } from "npm:@tensorflow/tfjs-core@4.22.0";
import type { Inputs } from "../inputs.ts";
import { type Adapter, type Prepared, serve, TOLERANCE } from "../protocol.ts";
import { LEARNING_RATE, parameterShapes, type Work } from "../workloads.ts";

async function start(): Promise<Adapter> {
  const tf = await import("npm:@tensorflow/tfjs-core@4.22.0");
  // Only the package of everything registers the gradients in a way that Deno can load. It is not named
  // as a literal, so that nobody but this process has to download it.
  const everything = "npm:@tensorflow/tfjs@4.22.0";
  await import(everything);
  const { setThreadsCount } = await import("npm:@tensorflow/tfjs-backend-wasm@4.22.0");
  setThreadsCount(1);
  if (!await tf.setBackend("wasm")) throw new Error("its wasm backend does not start");
  await tf.ready();

  const tensors = (inputs: Inputs): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, values }]) => [
        name,
        tf.tensor(Float32Array.from(values), [...shape]),
      ]),
    );
  const values = (tensor: Tensor): Float64Array => Float64Array.from(tensor.dataSync());

  function norm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
    const axes = x.shape.flatMap((_, i) => i === 1 ? [] : [i]);
    const shape = x.shape.map((size, i) => i === 1 ? size : 1);
    const mean = tf.mean(x, axes, true);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), axes, true);
    const inv = tf.rsqrt(tf.add(variance, 1e-5));
    return tf.add(
      tf.mul(centred, tf.mul(inv, tf.reshape(weight, shape))),
      tf.reshape(bias, shape),
    );
  }

  /** This backend has channels last only. */
  const conv = (x: Tensor, weight: Tensor): Tensor => {
    const last = tf.conv2d(
      tf.transpose(x, [0, 2, 3, 1]) as Parameters<typeof tf.conv2d>[0],
      tf.transpose(weight, [2, 3, 1, 0]) as Parameters<typeof tf.conv2d>[1],
      1,
      "same",
    );
    return tf.transpose(last, [0, 3, 1, 2]);
  };

  function pull(f: (wanted: Record<string, Tensor>) => Tensor, inputs: Inputs): Prepared {
    const { g, ...wanted } = tensors(inputs);
    const names = Object.keys(wanted);
    const pulled = tf.valueAndGrads((...x: Tensor[]) =>
      f(Object.fromEntries(names.map((name, i) => [name, x[i]])))
    );
    const run = () => pulled(Object.values(wanted), g);
    return {
      run() {
        const { value, grads } = run();
        tf.dispose([value, grads]);
      },
      results() {
        const { value, grads } = run();
        const named = names.map((name, i) => [`d${name}`, values(grads[i])]);
        return { y: values(value), ...Object.fromEntries(named) };
      },
    };
  }

  function training(work: Work & { kind: "mlp" | "cnn" }, inputs: Inputs): Prepared {
    const names = parameterShapes(work).map(([name]) => name);
    const { x, target, ...first } = tensors(inputs);
    const p: Record<string, Variable> = Object.fromEntries(
      names.map((name) => [name, tf.variable(first[name])]),
    );
    const classes = work.kind === "mlp" ? work.widths.at(-1)! : work.classes;
    const oneHot = tf.oneHot(tf.cast(target, "int32"), classes);
    const linear = (h: Tensor, weight: Tensor, bias: Tensor) =>
      tf.add(tf.matMul(h, weight, false, true), bias);
    const loss = () => {
      let h = x;
      if (work.kind === "cnn") {
        for (const i of work.channels.keys()) {
          h = tf.relu(
            norm(conv(h, p[`convWeight${i}`]), p[`normWeight${i}`], p[`normBias${i}`]),
          );
          const last = tf.transpose(h, [0, 2, 3, 1]) as Parameters<typeof tf.maxPool>[0];
          h = tf.transpose(tf.maxPool(last, 2, 2, "valid"), [0, 3, 1, 2]);
        }
        h = linear(tf.reshape(h, [work.batch, -1]), p.weight, p.bias);
      } else {
        const last = work.widths.length - 2;
        for (let i = 0; i <= last; i++) {
          h = linear(h, p[`weight${i}`], p[`bias${i}`]);
          if (i < last) h = tf.relu(norm(h, p[`normWeight${i}`], p[`normBias${i}`]));
        }
      }
      const chosen = tf.mul(tf.logSoftmax(h), oneHot);
      return tf.mul(tf.sum(chosen), -1 / work.batch) as Scalar;
    };
    const optimizer = tf.train.sgd(LEARNING_RATE);
    const run = () => {
      const { value, grads } = tf.variableGrads(loss, Object.values(p));
      optimizer.applyGradients(grads);
      return { value, grads };
    };
    return {
      run() {
        const { value, grads } = run();
        tf.dispose([value, grads]);
      },
      results() {
        const { value, grads } = run();
        const named = names.map((name) => [`d${name}`, values(grads[p[name].name])]);
        const lossAfter = values(tf.tidy(loss));
        return { loss: values(value), ...Object.fromEntries(named), lossAfter };
      },
    };
  }

  function prepare(work: Work, inputs: Inputs): Prepared {
    switch (work.kind) {
      case "matmul":
      case "elementwise": {
        const { a, b, x, y } = tensors(inputs);
        const f = work.kind === "matmul" ? () => tf.matMul(a, b) : {
          add: () => tf.add(x, y),
          relu: () => tf.relu(x),
          exp: () => tf.exp(x),
          sum: () => tf.sum(x),
        }[work.op];
        return { run: () => f().dispose(), results: () => ({ out: values(f()) }) };
      }
      case "batchNorm":
        return pull(({ x, weight, bias }) => norm(x, weight, bias), inputs);
      case "conv":
        return pull(({ x, weight }) => conv(x, weight), inputs);
      case "trackedAdd": {
        const { x, y } = tensors(inputs);
        const pulled = tf.valueAndGrad((x: Tensor) => tf.add(x, y));
        return {
          run() {
            // Its tape exists only while a gradient is computed.
            for (let i = 0; i < work.times; i++) {
              const { value, grad } = pulled(x);
              tf.dispose([value, grad]);
            }
          },
          results() {
            const { value, grad } = pulled(x);
            return { out: values(value), dx: values(grad) };
          },
        };
      }
      case "tiny": {
        const { x, a, b } = tensors(inputs);
        const pulled = tf.valueAndGrad((x: Tensor) => {
          let h = x;
          for (let i = 0; i < work.operations; i += 2) h = tf.add(tf.mul(h, a), b);
          return h;
        });
        return {
          run() {
            const { value, grad } = pulled(x);
            tf.dispose([value, grad]);
          },
          results() {
            const { value, grad } = pulled(x);
            return { out: values(value), dx: values(grad) };
          },
        };
      }
      case "chain": {
        const { x, a, b } = tensors(inputs);
        const run = () =>
          tf.tidy(() => {
            let h = x;
            for (let i = 0; i < work.operations; i += 3) h = tf.relu(tf.add(tf.mul(h, a), b));
            return h;
          });
        return {
          run() {
            const out = run();
            const sum = tf.sum(out);
            sum.dataSync();
            tf.dispose([out, sum]);
          },
          results: () => ({ out: values(run()) }),
        };
      }
      case "mlp":
      case "cnn":
        return training(work, inputs);
    }
  }

  return {
    version: `${tf.version_core}, ${tf.getBackend()}, 1 thread`,
    dtype: "float32",
    tolerance: TOLERANCE.float32,
    prepare,
  };
}

await serve(start);
