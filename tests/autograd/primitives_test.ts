import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type AnyPrimitive,
  bind,
  Generator,
  grad,
  gradcheck,
  noGrad,
  ones,
  primitives,
  rand,
  type Sample,
  type Shape,
  type Tensor,
} from "../../mod.ts";
import { setInspector } from "../../autograd/tape/tape.ts";

function tensorsOf(sample: Sample): Tensor[] {
  return sample.inputs.filter((input): input is Tensor => input !== null);
}

/** Runs the primitive on the sample's places, with the given tensors where it has tensors. */
function run(primitive: AnyPrimitive, sample: Sample, tensors: readonly Tensor[]): Tensor[] {
  let next = 0;
  const inputs = sample.inputs.map((input) => input === null ? null : tensors[next++]);
  return [...bind(primitive, inputs, sample.attrs)];
}

/** Rules that save or compute more than one input alone would need, and why. */
const together: Readonly<Record<string, string>> = {
  batchNorm: "one kernel makes all three cotangents from what was saved",
  batchNormBackward: "its three second derivatives share their sums",
  batchNormRelu: "one kernel makes all four cotangents from what was saved",
  batchNormReluBackward: "its second derivatives share their sums",
  groupNorm: "one kernel makes all three cotangents from what was saved",
  groupNormBackward: "its second derivatives share their sums",
  rmsNorm: "one kernel makes both cotangents from what was saved",
  rmsNormBackward: "its second derivatives share their sums",
  localResponseNormBackward: "its second derivatives share their sums",
  crossEntropyBackward: "the weights matter for some reductions only",
  clampTensor: "one bound hides the other where they cross",
  norm: "each p reads other parts of what was saved",
  pow: "y decides about bases of 0",
  powNumber: "the exponents 0 and 1 have constant derivatives",
};

for (const primitive of [...primitives.values()]) {
  const samples: readonly Sample[] = primitive.samples?.(new Generator(7)) ?? [];

  Deno.test(`${primitive.name} has samples and a summary`, () => {
    assert(samples.length > 0, `${primitive.name} has no samples`);
    assert(primitive.summary, `${primitive.name} has no summary`);
  });

  samples.forEach((sample, i) => {
    const tensors = tensorsOf(sample);
    const title = `${primitive.name}, sample ${i} ${
      JSON.stringify(tensors.map((input) => input.shape))
    }`;

    Deno.test(`${title}: the shape rule tells the outputs' shapes`, () => {
      const shapes = primitive.shape(
        sample.inputs.map((input) => input?.shape ?? null),
        sample.attrs,
      ) as readonly Shape[];
      const outputs = run(primitive, sample, tensors);
      assertEquals(outputs.map((output) => [...output.shape]), shapes.map((shape) => [...shape]));
      for (const output of outputs) assertEquals(output.data.length, output.size);
    });

    Deno.test(`${title}: inputs stay as they are, forward and backward`, () => {
      const before = tensors.map((input) => [...input.data]);
      const outputs = run(primitive, sample, tensors).filter((output) => output.requiresGrad);
      if (outputs.length > 0) {
        const targets = tensors.filter((input) => input.requiresGrad);
        grad(outputs, targets, {
          gradOutputs: outputs.map((output) => ones(output.shape)),
          allowUnused: true,
        });
      }
      assertEquals(tensors.map((input) => [...input.data]), before);
    });

    if (primitive.vjp === undefined) {
      Deno.test(`${title}: the result is off the tape`, () => {
        for (const output of run(primitive, sample, tensors)) assertFalse(output.requiresGrad);
      });
      return;
    }

    Deno.test(`${title}: gradients agree with differences, order 1 and 2`, () => {
      const order = primitive.onlyFirstOrder === undefined ? 2 : 1;
      const differentiable = (...inputs: Tensor[]) =>
        run(primitive, sample, inputs).filter((output) => output.requiresGrad);
      gradcheck(differentiable, tensors, { order });
    });

    Deno.test(`${title}: the vjp is linear in the cotangent`, () => {
      const random = new Generator(11);
      const outputs = run(primitive, sample, tensors).filter((output) => output.requiresGrad);
      const targets = tensors.filter((input) => input.requiresGrad);
      const draw = () =>
        outputs.map((output) => {
          const values = new Float64Array(output.size);
          random.fillUniform(values, -1, 1);
          return noGrad(() => ones(output.shape).mul(0).add(fromArray(values, output.shape)));
        });
      const [u, v] = [draw(), draw()];
      const pull = (gradOutputs: Tensor[]) =>
        grad(outputs, targets, { gradOutputs, retainGraph: true, allowUnused: true });
      const together = pull(u.map((ui, k) => ui.mul(2).add(v[k].mul(-3))));
      const [du, dv] = [pull(u), pull(v)];
      together.forEach((total, k) => {
        if (total === null) return;
        total.data.forEach((value, at) => {
          const expected = 2 * du[k]!.data[at] - 3 * dv[k]!.data[at];
          assert(
            Math.abs(value - expected) <= 1e-10 * (1 + Math.abs(expected)),
            `input ${k}, index ${at}: ${value}, expected ${expected}`,
          );
        });
      });
    });

    Deno.test(`${title}: each input alone has all that is computed and saved for it`, () => {
      if (primitive.name in together) return;
      const outputs = noGrad(() => run(primitive, sample, tensors));
      sample.inputs.forEach((input, k) => {
        if (input === null || !input.requiresGrad) return;
        const needs = sample.inputs.map((_, i) => i === k);
        const saved: readonly (Tensor | null)[] =
          primitive.save?.(sample.inputs, outputs, sample.attrs, needs) ?? [];
        const pull = (saved: readonly (Tensor | null)[]): readonly (Tensor | null)[] => {
          const inputShapes = sample.inputs.map((x) => x?.shape ?? null);
          const context = { saved, attrs: sample.attrs, needs, inputShapes };
          return noGrad(() => primitive.vjp!(given, context));
        };
        const random = new Generator(3);
        const given = outputs.map((y) => rand(y.shape, { generator: random }));
        // Passing a cotangent on costs nothing, nor does a second result of one fused call.
        const free = new Set(given);
        const inspector = setInspector({
          forward: (_, __, made) => made.length > 1 && made.forEach((y) => free.add(y)),
          backward: () => {},
        });
        const cotangents = pull(saved);
        setInspector(inspector);
        cotangents.forEach((cotangent, i) => {
          const wasted = i !== k && cotangent !== null && !free.has(cotangent);
          assertFalse(wasted, `input ${i} is computed for input ${k} alone`);
        });
        // A derivative that is 0 everywhere depends on nothing.
        if (cotangents[k] === null || cotangents[k].data.every((v) => v === 0)) return;
        saved.forEach((kept, i) => {
          if (kept === null) return;
          const values = [...kept.data];
          // Reversed values are indices still; negated ones change the sides of every bound.
          const used = [values.toReversed(), values.map((v) => -1.5 * v - 0.7)].some((other) => {
            const changed = fromArray(Float64Array.from(other), kept.shape);
            const again = pull(saved.map((x, j) => j === i ? changed : x))[k]!;
            return again.data.some((v, at) => v !== cotangents[k]!.data[at]);
          });
          assert(used || kept.size <= 1, `saved tensor ${i} is not used for input ${k} alone`);
        });
      });
    });

    Deno.test(`${title}: an input that needs nothing gets nothing`, () => {
      tensors.forEach((input, k) => {
        if (!input.requiresGrad) return;
        const frozen = tensors.map((t, j) => j === k ? t : t.detach());
        const outputs = run(primitive, sample, frozen).filter((output) => output.requiresGrad);
        if (outputs.length === 0) return;
        const all = tensors.map((t) => t.detach().requiresGrad_(t.requiresGrad));
        const allOutputs = run(primitive, sample, all).filter((output) => output.requiresGrad);
        const gradOutputs = allOutputs.map((output) => ones(output.shape));
        const [alone] = grad(outputs, [input], {
          gradOutputs: outputs.map((output) => ones(output.shape)),
          allowUnused: true,
        });
        const [together] = grad(allOutputs, [all[k]], { gradOutputs, allowUnused: true });
        assertEquals(alone?.toArray(), together?.toArray());
      });
    });
  });
}

function fromArray(values: Float64Array, shape: Shape): Tensor {
  const result = ones(shape);
  result.data.set(values);
  return result;
}
