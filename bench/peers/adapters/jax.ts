/**
 * jax-js as a peer: every run is one jitted function on its WebAssembly device.
 *
 * Its arrays count references: passing one to a function gives it away, `.ref` keeps it.
 *
 * @module
 */
import type { numpy } from "npm:@jax-js/jax@0.1.25";
import type { Inputs } from "../inputs.ts";
import { type Adapter, type Prepared, serve } from "../protocol.ts";
import { LEARNING_RATE, parameterShapes, type Work } from "../workloads.ts";

type NdArray = numpy.Array;
type Arrays = Record<string, NdArray>;

async function start(): Promise<Adapter> {
  // It starts a worker for every processor; one thread is what the others have.
  Object.defineProperty(navigator, "hardwareConcurrency", { value: 1 });
  const jax = await import("npm:@jax-js/jax@0.1.25");
  const { numpy: np, lax, nn, jit, vjp, tree } = jax;
  await jax.init("wasm");
  jax.defaultDevice("wasm");

  const arrays = (inputs: Inputs): Arrays =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, values }]) => [
        name,
        np.array(values, { dtype: np.float64, shape: [...shape] }),
      ]),
    );

  /** Training-mode batch norm over every axis but the second. */
  function norm(x: NdArray, weight: NdArray, bias: NdArray): NdArray {
    const axes = x.shape.flatMap((_, i) => i === 1 ? [] : [i]);
    const shape = x.shape.map((size, i) => i === 1 ? size : 1);
    // Not np.mean, which multiplies by 1/count in float32.
    const count = x.size / x.shape[1];
    const mean = np.sum(x.ref, axes, { keepdims: true }).div(count);
    const centred = x.sub(mean);
    const variance = np.sum(np.square(centred.ref), axes, { keepdims: true }).div(count);
    const inv = np.reciprocal(np.sqrt(variance.add(1e-5)));
    return centred.mul(inv.mul(weight.reshape(shape))).add(bias.reshape(shape));
  }

  const conv = (x: NdArray, weight: NdArray): NdArray =>
    lax.convGeneralDilated(x, weight, [1, 1], "SAME");

  /** A function of a record that stays ours; the arrays that come out are given back to it. */
  function prepared(f: (inputs: Arrays) => Arrays, inputs: Arrays): Prepared {
    const compiled = jit(f);
    const run = async () => {
      const out = compiled(tree.ref(inputs)) as Arrays;
      await jax.blockUntilReady(out);
      tree.dispose(out);
    };
    return {
      run,
      async results() {
        const out = compiled(tree.ref(inputs)) as Arrays;
        const found: Record<string, Float64Array> = {};
        for (const [name, array] of Object.entries(out)) {
          found[name] = Float64Array.from(await array.data());
        }
        return found;
      },
    };
  }

  /** Forward, and the gradients of y·g by what f takes. */
  function pull(f: (wanted: Arrays) => NdArray, { g, ...wanted }: Arrays): Prepared {
    return prepared(({ g, ...wanted }) => {
      const [y, back] = vjp(f, [wanted]);
      const [gradients] = back(g) as unknown as [Arrays];
      const named = Object.entries(gradients).map(([name, dx]) => [`d${name}`, dx]);
      return { y, ...Object.fromEntries(named) };
    }, { g, ...wanted });
  }

  function training(work: Work & { kind: "mlp" | "cnn" }, inputs: Inputs): Prepared {
    const names = parameterShapes(work).map(([name]) => name);
    const { x, target, ...first } = arrays(inputs);
    const classes = work.kind === "mlp" ? work.widths.at(-1)! : work.classes;
    const oneHot = nn.oneHot(target.astype(np.int32), classes).astype(np.float64);
    const linear = (h: NdArray, weight: NdArray, bias: NdArray) =>
      np.matmul(h, weight.transpose()).add(bias);
    const loss = (p: Arrays, x: NdArray, oneHot: NdArray): NdArray => {
      let h = x;
      if (work.kind === "cnn") {
        for (const i of work.channels.keys()) {
          h = norm(conv(h, p[`convWeight${i}`]), p[`normWeight${i}`], p[`normBias${i}`]);
          const [n, c, height, width] = h.shape;
          const windows = nn.relu(h).reshape([n, c, height / 2, 2, width / 2, 2]);
          h = np.max(windows, [3, 5]);
        }
        h = linear(h.reshape([h.shape[0], -1]), p.weight, p.bias);
      } else {
        const last = work.widths.length - 2;
        for (let i = 0; i <= last; i++) {
          h = linear(h, p[`weight${i}`], p[`bias${i}`]);
          if (i < last) h = nn.relu(norm(h, p[`normWeight${i}`], p[`normBias${i}`]));
        }
      }
      return np.sum(nn.logSoftmax(h, -1).mul(oneHot)).mul(-1 / work.batch);
    };
    const valueAndGrad = jax.valueAndGrad(loss);
    const step = jit((p: Arrays, x: NdArray, oneHot: NdArray) => {
      const [value, gradients] = valueAndGrad(tree.ref(p), x, oneHot) as [NdArray, Arrays];
      const after = Object.fromEntries(
        names.map((name) => [name, p[name].sub(gradients[name].ref.mul(LEARNING_RATE))]),
      );
      return { value, gradients, after };
    });
    let parameters = first;
    const run = () => {
      const done = step(parameters, x.ref, oneHot.ref) as {
        value: NdArray;
        gradients: Arrays;
        after: Arrays;
      };
      parameters = done.after;
      return done;
    };
    return {
      async run() {
        const { value, gradients, after } = run();
        await jax.blockUntilReady(after);
        tree.dispose([value, gradients]);
      },
      async results() {
        const { value, gradients } = run();
        const found: Record<string, Float64Array> = { loss: Float64Array.from(await value.data()) };
        for (const name of names) {
          found[`d${name}`] = Float64Array.from(await gradients[name].data());
        }
        const after = run();
        found.lossAfter = Float64Array.from(await after.value.data());
        tree.dispose(after.gradients);
        return found;
      },
    };
  }

  function prepare(work: Work, inputs: Inputs): Prepared {
    switch (work.kind) {
      case "matmul":
        return prepared(({ a, b }) => ({ out: np.matmul(a, b) }), arrays(inputs));
      case "elementwise": {
        const { x, y } = arrays(inputs);
        if (work.op === "add") return prepared(({ x, y }) => ({ out: x.add(y) }), { x, y });
        const f = { relu: nn.relu, exp: np.exp, sum: (x: NdArray) => np.sum(x) }[work.op];
        return prepared(({ x }) => ({ out: f(x) }), { x });
      }
      case "batchNorm":
        return pull(({ x, weight, bias }) => norm(x, weight, bias), arrays(inputs));
      case "conv":
        return pull(({ x, weight }) => conv(x, weight), arrays(inputs));
      case "trackedAdd": {
        const { x, y } = arrays(inputs);
        return {
          async run() {
            // One linearisation for each addition is what a node on a tape is here.
            for (let i = 0; i < work.times; i++) {
              const [out, back] = vjp((x: NdArray) => x.add(y.ref), [x.ref]);
              await out.blockUntilReady();
              out.dispose();
              back.dispose();
            }
          },
          async results() {
            const [out, back] = vjp((x: NdArray) => x.add(y.ref), [x.ref]);
            const [dx] = back(np.onesLike(out.ref)) as [NdArray];
            return {
              out: Float64Array.from(await out.data()),
              dx: Float64Array.from(await dx.data()),
            };
          },
        };
      }
      case "tiny": {
        const { x, a, b } = arrays(inputs);
        const chain = (x: NdArray) => {
          let h = x;
          for (let i = 0; i < work.operations; i += 2) h = h.mul(a.ref).add(b.ref);
          return h;
        };
        const run = () => {
          const [out, back] = vjp(chain, [x.ref]);
          const [dx] = back(np.onesLike(out.ref)) as [NdArray];
          back.dispose();
          return [out, dx];
        };
        return {
          async run() {
            const done = run();
            await jax.blockUntilReady(done);
            tree.dispose(done);
          },
          async results() {
            const [out, dx] = run();
            return {
              out: Float64Array.from(await out.data()),
              dx: Float64Array.from(await dx.data()),
            };
          },
        };
      }
      case "chain":
        return prepared(({ x, a, b }) => {
          let h = x;
          for (let i = 0; i < work.operations; i += 3) h = nn.relu(h.mul(a.ref).add(b.ref));
          a.dispose();
          b.dispose();
          return { out: h };
        }, arrays(inputs));
      case "mlp":
      case "cnn":
        return training(work, inputs);
    }
  }

  return {
    version: "0.1.25, jit on its wasm device, 1 thread",
    dtype: "float64",
    // Its exp and log of float64 numbers have the digits of float32.
    tolerance: 1e-5,
    prepare,
  };
}

await serve(start);
