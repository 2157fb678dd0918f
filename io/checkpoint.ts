/**
 * Checkpoints of a training run: everything that it needs to go on as if it had never stopped.
 */
import { defaultGenerator, type Generator, noGrad, Tensor } from "../autograd/mod.ts";
import { assertOptions, describe, valuesOf } from "../autograd/internal.ts";
import type { Module } from "../nn/module/module.ts";
import { StateDict } from "../nn/module/state_dict.ts";
import type { OptimizerStateDict } from "../optim/state_dict.ts";
import { quote } from "./errors.ts";
import { nameOption, writeWhole } from "./file.ts";
import type { PickleValue } from "./pickle/values.ts";
import { asStateDict } from "./state.ts";
import type { NameOptions } from "./safetensors.ts";
import { decodeTorch, loadTorch } from "./torch/read.ts";
import { encodeTorch, type TorchValue } from "./torch/write.ts";

/** What has a state to be saved: an optimizer. */
export interface Optimizing {
  /** Its state. */
  stateDict(): OptimizerStateDict;
  /** Takes a state over. */
  loadStateDict(saved: OptimizerStateDict): void;
}

/** What has a state to be saved: a schedule of learning rates. */
export interface Scheduling {
  /** Its state. */
  stateDict(): Readonly<Record<string, unknown>>;
  /** Takes a state over. */
  loadStateDict(saved: Readonly<Record<string, unknown>>): void;
}

/** The parts of a training run. */
export interface Run {
  /** The network: parameters and persistent buffers. */
  readonly model?: Module;
  /** Its optimizer: hyperparameters, momentum, step counts. */
  readonly optimizer?: Optimizing;
  /** The schedule of its learning rates. */
  readonly scheduler?: Scheduling;
  /** The generator that shuffles or draws. */
  readonly generator?: Generator;
}

/** What is saved of a training run. */
export interface CheckpointContent extends Run {
  /** How many steps were taken. */
  readonly step?: number;
  /** Anything else that the run needs: an epoch, losses, tensors. */
  readonly extra?: Readonly<Record<string, TorchValue>>;
}

/** What a checkpoint says besides the states that were taken over. */
export interface LoadedCheckpoint {
  /** How many steps had been taken. */
  readonly step: number;
  /** What was saved as `extra`. */
  readonly extra: ReadonlyMap<string, PickleValue>;
}

const PARTS = ["model", "optimizer", "scheduler", "generator"] as const;

/** Refuses a misspelt part; a run of the caller's own class may hold more than its parts. */
function assertParts(action: string, run: CheckpointContent, known: readonly string[]): void {
  const isOwnClass = typeof run === "object" && run !== null &&
    Object.getPrototypeOf(run) !== Object.prototype && Object.getPrototypeOf(run) !== null;
  if (isOwnClass) return;
  // Methods come along where a run is spread, and hold no state.
  const parts = typeof run !== "object" || run === null || Array.isArray(run)
    ? run
    : Object.fromEntries(Object.entries(run).filter(([, part]) => typeof part !== "function"));
  assertOptions(action, parts as Readonly<Record<string, unknown>>, known);
}

const FORMAT = "tapegrad.checkpoint";
const VERSION = 1;
const DEEPEST = 200;

/**
 * Saves a training run, so that {@linkcode loadCheckpoint} goes on bit for bit as if it had not stopped:
 * weights, buffers, momentum and step counts, the schedule, and random states, that of the default
 * generator included.
 *
 * The file is one that PyTorch opens (`torch.load(file)["model"]` is the state dict). What is saved is
 * the state at the call: training may go on while the file is written. It is written to a temporary file
 * of the same folder, synced, and renamed: a crash at any moment leaves the old file or the new one whole.
 *
 * Not saved are gradients, buffers that are not persistent, and modes (`training`, what is frozen): the
 * program that resumes makes its objects as the first one did.
 *
 * @param file The file; what was there is replaced.
 * @param run The parts to be saved, with the number of steps taken and anything `extra`.
 * @throws {TypeError} if a part is of the wrong kind. @throws {RangeError} if `step` is not an integer.
 *
 * @example
 * ```ts
 * import { loadCheckpoint, saveCheckpoint } from "@tapegrad/tapegrad/io";
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await Deno.makeTempFile();
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
 * await saveCheckpoint(file, { model, optimizer, step: 100 });
 * assertEquals((await loadCheckpoint(file, { model, optimizer })).step, 100);
 * await Deno.remove(file);
 * ```
 */
export async function saveCheckpoint(file: string, run: CheckpointContent): Promise<void> {
  await writeWhole(file, [encodeCheckpoint(run)]);
}

/**
 * The bytes of a checkpoint; see {@linkcode saveCheckpoint}.
 *
 * @throws {TypeError} if a part is of the wrong kind. @throws {RangeError} if `step` is not an integer.
 */
export function encodeCheckpoint(run: CheckpointContent): Uint8Array<ArrayBuffer> {
  assertParts("save a checkpoint", run, [...PARTS, "step", "extra"]);
  const { model, optimizer, scheduler, generator, step = 0, extra = {} } = run;
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(
      `Cannot save a checkpoint: got step ${String(step)}, expected an integer from 0 on`,
    );
  }
  for (const part of ["model", "optimizer", "scheduler"] as const) {
    const value: unknown = run[part];
    if (value !== undefined && typeof (value as Scheduling)?.stateDict !== "function") {
      throw new TypeError(
        `Cannot save a checkpoint: got ${part} ${describe(value)}, expected one with stateDict()`,
      );
    }
  }
  if (generator !== undefined && typeof generator?.getState !== "function") {
    throw new TypeError(
      `Cannot save a checkpoint: got generator ${describe(generator)}, expected a Generator`,
    );
  }
  return encodeTorch({
    format: FORMAT,
    version: VERSION,
    step,
    model: model?.stateDict(),
    optimizer: optimizer?.stateDict() as TorchValue,
    scheduler: scheduler?.stateDict() as TorchValue,
    generator: generator?.getState(),
    default_generator: defaultGenerator.getState(),
    extra,
  });
}

/**
 * Takes a run up where {@linkcode saveCheckpoint} left it. The parts that are given get their states;
 * others in the file are left alone. If any does not fit, all stay as they were.
 *
 * The default generator is set too if an optimizer, a schedule or a generator is given: a model alone is
 * loaded without touching it.
 *
 * @param file The file.
 * @param run The parts, made as in the run that was saved.
 * @returns The number of steps taken, and what was saved as `extra`.
 * @throws {RangeError} if the file is damaged or no checkpoint, lacks a part, or a part does not fit.
 */
export async function loadCheckpoint(file: string, run: Run): Promise<LoadedCheckpoint> {
  assertRun(file, run);
  return resume(file, run, await loadTorch(file));
}

/**
 * Takes a run up from the bytes of a checkpoint; see {@linkcode loadCheckpoint}.
 *
 * @param bytes The file.
 * @param run The parts, made as in the run that was saved.
 * @param options `name` for errors.
 * @returns The number of steps taken, and what was saved as `extra`.
 * @throws {RangeError} if the bytes are damaged or no checkpoint, lack a part, or a part does not fit.
 */
export async function decodeCheckpoint(
  bytes: Uint8Array,
  run: Run,
  options: NameOptions = {},
): Promise<LoadedCheckpoint> {
  assertOptions("resume from a checkpoint", options, ["name"]);
  const name = nameOption(options.name, "a checkpoint");
  assertRun(name, run);
  return resume(name, run, await decodeTorch(bytes, { name }));
}

function assertRun(file: string, run: Run): void {
  assertParts("resume from a checkpoint", run, PARTS);
  for (const part of PARTS) {
    const value: unknown = run[part];
    const load = part === "generator" ? "setState" : "loadStateDict";
    if (value === undefined || value === null) continue;
    if (typeof (value as Record<string, unknown>)[load] !== "function") {
      throw new TypeError(
        `Cannot resume from ${file}: got ${part} ${describe(value)}, expected one with ${load}()`,
      );
    }
  }
}

function resume(file: string, run: Run, saved: PickleValue): LoadedCheckpoint {
  if (!(saved instanceof Map) || saved.get("format") !== FORMAT) {
    throw new RangeError(
      `Cannot resume from ${file}: got something that saveCheckpoint did not write, expected a ` +
        `checkpoint; loadTorch reads other files`,
    );
  }
  if (saved.get("version") !== VERSION) {
    throw new RangeError(
      `Cannot resume from ${file}: got version ${String(saved.get("version"))} of checkpoints, ` +
        `expected ${VERSION}`,
    );
  }
  const step = saved.get("step");
  if (typeof step !== "number" || !Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`Cannot resume from ${file}: got step ${String(step)}, expected a count`);
  }
  const undo = rememberAll(run);
  try {
    restore(file, run, saved);
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
  const extra = saved.get("extra");
  return { step, extra: extra instanceof Map ? extra as Map<string, PickleValue> : new Map() };
}

function restore(file: string, run: Run, saved: ReadonlyMap<unknown, PickleValue>): void {
  const part = (name: string): PickleValue => {
    const value = saved.get(name) ?? null;
    if (value === null) {
      throw new RangeError(
        `Cannot resume from ${file}: got a checkpoint without ${quote(name)}, expected its state`,
      );
    }
    return value;
  };
  if (run.model !== undefined) {
    const state = part("model");
    const isEmpty = state instanceof Map && state.size === 0;
    run.model.loadStateDict(isEmpty ? new StateDict() : asStateDict(state) ?? wrong(file, "model"));
  }
  if (run.optimizer !== undefined) {
    run.optimizer.loadStateDict(asObject(part("optimizer")) as unknown as OptimizerStateDict);
  }
  if (run.scheduler !== undefined) {
    run.scheduler.loadStateDict(asObject(part("scheduler")));
  }
  if (run.generator !== undefined) {
    run.generator.setState(asBytes(file, "generator", part("generator")));
  }
  if (goesOn(run)) {
    defaultGenerator.setState(asBytes(file, "default_generator", part("default_generator")));
  }
}

function goesOn({ optimizer, scheduler, generator }: Run): boolean {
  return optimizer !== undefined || scheduler !== undefined || generator !== undefined;
}

/** What puts every part back as it is now. */
function rememberAll({ model, optimizer, scheduler, generator }: Run): (() => void)[] {
  const steps: (() => void)[] = [];
  if (model !== undefined) {
    const state = new StateDict();
    for (const [name, value] of model.stateDict()) state.set(name, noGrad(() => value.clone()));
    steps.push(() => void model.loadStateDict(state, { strict: false }));
  }
  // A schedule that loads a state sets the rates of then; the optimizer's are put back after it.
  for (const part of [scheduler, optimizer] as readonly (Scheduling | undefined)[]) {
    if (part === undefined) continue;
    const state = part.stateDict();
    steps.push(() => part.loadStateDict(state));
  }
  for (const random of [generator, defaultGenerator]) {
    if (random === undefined) continue;
    const state = random.getState();
    steps.push(() => void random.setState(state));
  }
  return steps;
}

/** Dicts as objects, all the way down; what is shared stays shared, so that no file can blow it up. */
function asObject(value: PickleValue): Record<string, unknown> {
  const made = new Map<unknown, unknown>();
  const visit = (part: unknown, depth: number): unknown => {
    if (depth > DEEPEST) {
      throw new RangeError(
        `Cannot resume: got a state nested more than ${DEEPEST} deep, expected fewer`,
      );
    }
    if (typeof part !== "object" || part === null || part instanceof Tensor) return part;
    const known = made.get(part);
    if (known !== undefined) return known;
    if (part instanceof Map) {
      const object: Record<string, unknown> = {};
      made.set(part, object);
      for (const [key, entry] of part as Map<unknown, unknown>) {
        Object.defineProperty(object, String(key), {
          value: visit(entry, depth + 1),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
    if (Array.isArray(part)) {
      const list: unknown[] = [];
      made.set(part, list);
      for (const entry of part) list.push(visit(entry, depth + 1));
      return list;
    }
    return part;
  };
  return visit(value, 0) as Record<string, unknown>;
}

function asBytes(file: string, name: string, value: PickleValue): Uint8Array {
  return value instanceof Tensor ? Uint8Array.from(valuesOf(value)) : wrong(file, name);
}

function wrong(file: string, name: string): never {
  throw new RangeError(
    `Cannot resume from ${file}: got ${
      quote(name)
    } of another kind, expected what saveCheckpoint ` +
      `writes`,
  );
}
