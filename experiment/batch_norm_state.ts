/**
 * What is kept of a run's batch norm layers, where a network was recorded.
 */
import type { nn, optim } from "../mod.ts";
import { record, type Recorder } from "../scope/mod.ts";

/** A batch norm layer at the end of a run. */
export interface BatchNormState {
  /** Its dotted name in the network. */
  readonly path: string;
  /** γ of all channels; empty without one. */
  readonly gamma: readonly number[];
  /** How far its outputs in training and in evaluation are apart; `null` unless the run audited. */
  readonly gap: number | null;
  /** |z| of the running mean's drift in the last forward pass in training, a value for each channel. */
  readonly drift: readonly number[];
}

/** Recorders of the networks of one run. */
export class Recorders {
  readonly #all: Recorder[] = [];

  /** Begins to watch a network. */
  readonly record = (model: nn.Module, optimizer: optim.Optimizer): Recorder => {
    const recorder = record(model, optimizer, { channels: "all" });
    this.#all.push(recorder);
    return recorder;
  };

  /** Stops, and gives the layers as they are. */
  stop(): BatchNormState[] {
    return this.#all.flatMap((recorder) => {
      const { layers, audit } = recorder.stop().toJSON();
      return layers.map(({ path, final, series }): BatchNormState => {
        const gap = audit.find(({ layer }) => layer === path)?.distance;
        return {
          path,
          gamma: (final.gamma ?? []).map(Number),
          gap: gap === undefined ? null : Number(gap),
          drift: (series.zDrift.values.at(-1) ?? []).map((z) => Math.abs(Number(z))),
        };
      });
    });
  }
}
