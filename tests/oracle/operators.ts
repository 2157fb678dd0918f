/**
 * Runs PyTorch's operator cases: results, gradients, arguments afterwards, and refused calls.
 *
 * @module
 */
import { grad, Tensor } from "../../autograd/mod.ts";
import { compareTensor, Mismatch } from "./compare.ts";
import { runOperator } from "./library.ts";
import { decode, type Recorded, type RecordedTensor, type Value } from "./recorded.ts";
import { AdapterError, type Arguments, operatorCall } from "./signatures.ts";

/** A call with its results. */
export interface OperatorCase {
  op: string;
  variant: string;
  args: Recorded[];
  kwargs: Record<string, Recorded>;
  out: RecordedTensor[];
  gradOut?: RecordedTensor[] | null;
  gradIn?: (RecordedTensor | null)[] | null;
  argsAfter?: Recorded[];
}

/** A call that is refused. */
export interface RefusedCase {
  op: string;
  args: Recorded[];
  kwargs: Record<string, Recorded>;
  error: string;
}

/** Decodes the arguments of a case. */
export function decodeArguments(
  recorded: { args: Recorded[]; kwargs: Record<string, Recorded> },
): Arguments {
  return {
    args: recorded.args.map(decode),
    kwargs: Object.fromEntries(
      Object.entries(recorded.kwargs).map(([key, value]) => [key, decode(value)]),
    ),
  };
}

/** The tensors that require grad, in PyTorch's order. */
export function differentiable(values: Iterable<Value>): Tensor[] {
  const found: Tensor[] = [];
  for (const value of values) {
    if (Array.isArray(value)) found.push(...differentiable(value));
    else if (value instanceof Tensor && value.requiresGrad) found.push(value);
  }
  return found;
}

/** The tensors of a result: one tensor, a list of them, or an object of them. */
function results(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value === "object" && value !== null) return Object.values(value);
  throw new Mismatch(`got ${value}, expected a tensor or several`);
}

/** Compares gradients with recorded ones; PyTorch's None may be zeros here. */
export function compareGradients(
  what: string,
  actual: readonly (Tensor | null)[],
  recorded: readonly (RecordedTensor | null)[],
): void {
  for (const [i, expected] of recorded.entries()) {
    if (expected !== null) compareTensor(`${what} ${i}`, actual[i], expected);
    else if (actual[i]?.data.some((v) => v !== 0)) {
      throw new Mismatch(`${what} ${i}: got ${actual[i]!.data}, expected none`);
    }
  }
}

/** Runs a call and compares its results and gradients. */
export function runOperatorCase(recorded: OperatorCase): void {
  const given = decodeArguments(recorded);
  const out = results(runOperator(recorded.op, operatorCall(recorded.op, given)));
  // The saved statistics that native_batch_norm also returns stay inside the primitive here.
  const expected = recorded.op === "native_batch_norm" ? recorded.out.slice(0, 1) : recorded.out;
  if (out.length !== expected.length) {
    throw new Mismatch(`got ${out.length} results, expected ${expected.length}`);
  }
  for (const [i, value] of expected.entries()) compareTensor(`result ${i}`, out[i], value);

  const { gradIn, gradOut } = recorded;
  if (gradIn && gradOut && gradIn.some((g) => g !== null)) {
    const inputs = differentiable([...given.args, ...Object.values(given.kwargs)]);
    const outputs = out.filter((_, i) => expected[i].grad);
    const cotangents = gradOut.map((g) => decode(g) as Tensor);
    const got = grad(outputs, inputs, { gradOutputs: cotangents, allowUnused: true });
    compareGradients("gradient of input", got, gradIn);
  }
  for (const [i, after] of (recorded.argsAfter ?? []).entries()) {
    if (typeof after === "object" && after !== null && "tensor" in after) {
      compareTensor(`argument ${i} afterwards`, given.args[i], after);
    }
  }
}

/** Runs a call that must throw one of this project's own errors. */
export function runRefusedCase(recorded: RefusedCase): void {
  let result: unknown;
  try {
    const call = operatorCall(recorded.op, decodeArguments(recorded));
    result = runOperator(recorded.op, call);
  } catch (error) {
    if (error instanceof AdapterError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    // An error that nobody wrote on purpose (a property of undefined) is no refusal.
    if (/^Cannot [^:]+: ./.test(said)) return;
    throw new Mismatch(`${error}; expected an error that begins "Cannot <action>: "`);
  }
  const shapes = result instanceof Tensor ? `a tensor of shape [${result.shape}]` : typeof result;
  throw new Mismatch(`got ${shapes}, expected an error (${recorded.error})`);
}
