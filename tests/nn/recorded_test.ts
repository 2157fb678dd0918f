/**
 * Losses and layers against what PyTorch computed at their edges; data/record.py recorded it.
 */
import { assert, assertEquals } from "@std/assert";
import { grad, manualSeed, type Tensor } from "../../autograd/mod.ts";
import { compareState, compareTensor } from "../oracle/compare.ts";
import { makeModule, runOperator } from "../oracle/library.ts";
import {
  compareGradients,
  decodeArguments,
  differentiable,
  runRefusedCase,
} from "../oracle/operators.ts";
import {
  type Recorded,
  type RecordedState,
  type RecordedTensor,
  toTensor,
} from "../oracle/recorded.ts";
import { constructorArguments, operatorCall } from "../oracle/signatures.ts";

interface LossCase {
  op: string;
  args: Recorded[];
  kwargs: Record<string, Recorded>;
  error?: string;
  out: [RecordedTensor];
  gradOut: [RecordedTensor];
  gradIn: (RecordedTensor | null)[];
  v?: RecordedTensor[];
  second?: (RecordedTensor | null)[];
}

interface LayerCase {
  module: string;
  ctor: Recorded[];
  ctorKw: Record<string, Recorded>;
  seed: number | null;
  repr: string;
  state: RecordedState;
  x: RecordedTensor;
  out: RecordedTensor;
  gradOut: RecordedTensor;
  gradients: RecordedTensor[];
}

async function read<Case>(name: string): Promise<Case[]> {
  const { body } = await fetch(new URL(`data/${name}.jsonl.gz`, import.meta.url));
  const text = await new Response(body!.pipeThrough(new DecompressionStream("gzip"))).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line) as Case);
}

const losses = Object.groupBy(await read<LossCase>("losses"), ({ op }) => op);

for (const [op, cases] of Object.entries(losses)) {
  Deno.test(`${op} at its edges is PyTorch's, gradients of two orders included`, () => {
    for (const recorded of cases!) {
      if (recorded.error === undefined) runLoss(recorded);
      else runRefusedCase({ ...recorded, error: recorded.error });
    }
  });
}

function runLoss(recorded: LossCase): void {
  const given = decodeArguments(recorded);
  const out = runOperator(recorded.op, operatorCall(recorded.op, given));
  const where = `${recorded.op} ${JSON.stringify(recorded.kwargs)}:`;
  compareTensor(`${where} result`, out, recorded.out[0]);
  const inputs = differentiable([...given.args, ...Object.values(given.kwargs)]);
  const first = grad([out as Tensor], inputs, {
    gradOutputs: [toTensor(recorded.gradOut[0])],
    allowUnused: true,
    createGraph: recorded.second !== undefined,
  });
  compareGradients(`${where} gradient`, first, recorded.gradIn);
  if (recorded.second === undefined) return;
  const outputs = first.filter((g): g is Tensor => g !== null && g.requiresGrad);
  if (outputs.length === 0) {
    assert(recorded.second.every((g) => g === null || g.data.every((v) => v === 0)), where);
    return;
  }
  const cotangents = recorded.v!.filter((_, i) => first[i]?.requiresGrad).map((v) => toTensor(v));
  const second = grad(outputs, inputs, { gradOutputs: cotangents, allowUnused: true });
  compareGradients(`${where} second gradient`, second, recorded.second);
}

const layers = Object.groupBy(await read<LayerCase>("layers"), ({ module }) => module);

for (const [name, cases] of Object.entries(layers)) {
  Deno.test(`${name} is PyTorch's: first weights, output, gradients, printing`, () => {
    for (const recorded of cases!) {
      manualSeed(7);
      const module = makeModule(
        name,
        constructorArguments(
          name,
          decodeArguments({ args: recorded.ctor, kwargs: recorded.ctorKw }),
        ),
      );
      assertEquals(String(module), recorded.repr);
      compareState(`${recorded.repr} initial state`, module.stateDict(), recorded.state);
      if (recorded.seed !== null) manualSeed(recorded.seed);
      const x = toTensor(recorded.x);
      const out = module.forward(x);
      compareTensor(`${recorded.repr} output`, out, recorded.out);
      const inputs = [...(x.requiresGrad ? [x] : []), ...module.parameters()];
      const gradients = grad([out], inputs, { gradOutputs: [toTensor(recorded.gradOut)] });
      compareGradients(`${recorded.repr} gradient`, gradients, recorded.gradients);
    }
  });
}
