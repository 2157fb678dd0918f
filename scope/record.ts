/**
 * Where a recording begins.
 */
import { assertOptions, describe, type Known } from "../autograd/internal.ts";
import { assertModule } from "../nn/module/arguments.ts";
import type { Module } from "../nn/mod.ts";
import { Optimizer } from "../optim/mod.ts";
import { Recorder, type RecordOptions } from "./recorder.ts";

const KNOWN: Known<RecordOptions> = ["title", "every", "channels", "callSites"];

/**
 * Records a model in training. Nothing that it computes changes: the losses are the same to the last bit.
 *
 * Each forward of a BatchNorm, each step of the optimizer, and each write from elsewhere is compared with
 * the state before it. A deep copy of the model is another model and is not recorded.
 *
 * @param model The model; its BatchNorms are recorded, those that it holds now.
 * @param optimizer The one that moves it, or several; `null` for none.
 * @param options every = 1, channels = "worst", callSites = false.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { record, sentenceOf } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const sgd = new optim.SGD(bn.parameters(), { lr: 0.1 });
 * const recorder = record(bn, sgd, { title: "one step" });
 * bn.forward(randn([8, 3])).square().sum().backward();
 * sgd.step();
 * recorder.stop();
 * assertEquals(
 *   sentenceOf(recorder.toJSON()),
 *   "In 1 step the optimizer moved γ and β 2 times, and forward passes moved them 0 times. Forward " +
 *     "passes moved the running mean and variance 2 times, and the optimizer moved them 0 times.",
 * );
 * ```
 */
export function record(
  model: Module,
  optimizer: Optimizer | readonly Optimizer[] | null,
  options: RecordOptions = {},
): Recorder {
  const action = "record";
  assertModule(action, "model", model);
  const optimizers = optimizer === null ? [] : [optimizer].flat();
  for (const given of optimizers) {
    if (given instanceof Optimizer) continue;
    throw new TypeError(
      `Cannot ${action}: got optimizer ${describe(given)}, expected an Optimizer, a list, or null`,
    );
  }
  assertOptions(action, options, KNOWN);
  const { title = "", every = 1, channels = "worst", callSites = false } = options;
  if (typeof title !== "string") {
    throw new TypeError(`Cannot ${action}: got title ${describe(title)}, expected a string`);
  }
  if (!Number.isInteger(every) || every < 1) {
    throw new RangeError(
      `Cannot ${action}: got every ${describe(every)}, expected an integer of at least 1`,
    );
  }
  const isList = Array.isArray(channels) && channels.every((c) => Number.isInteger(c) && c >= 0);
  if (channels !== "worst" && channels !== "all" && !isList) {
    throw new RangeError(
      `Cannot ${action}: got channels ${
        describe(channels)
      }, expected "worst", "all" or a list of ` +
        `channels`,
    );
  }
  return new Recorder(model, optimizers, { title, every, channels, callSites });
}
