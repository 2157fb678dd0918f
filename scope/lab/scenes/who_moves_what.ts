/**
 * A small network in training; a recorder notes after each event what has moved. Half-way one thing may be
 * switched off.
 */
import { manualSeed, nn, optim, type Tensor } from "../library.ts";
import { type Ledger, ledgerOf, record } from "../library_scope.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  readonly steps: number;
  readonly lr: number;
  readonly momentum: number;
  /** What is switched off half-way: 0 nothing, 1 the learning rate, 2 training mode, 3 momentum. */
  readonly off: number;
}

/** What the scene shows. */
export interface Numbers {
  /** The step after which something was switched off; 0 if nothing was, and all steps are counted. */
  readonly switched: number;
  /** Who moved what, counted after the switch. */
  readonly ledger: Ledger;
  /** By channel, after each event: at the start, then a forward pass and an optimizer step in turn. */
  readonly weight: number[][];
  readonly bias: number[][];
  readonly runningMean: number[][];
  readonly runningVar: number[][];
  /** By channel, for each step: what the layer saw. */
  readonly batchMean: number[][];
  readonly batchVar: number[][];
  readonly loss: number[];
}

const CHANNELS = 3;
const BATCH = 32;

/** Trains and takes notes. */
export function run({ seed, steps, lr, momentum, off }: State): Numbers {
  manualSeed(seed);
  const bn = new nn.BatchNorm1d(CHANNELS, { momentum });
  const first = new nn.Linear(2, CHANNELS);
  const last = new nn.Sequential(new nn.ReLU(), new nn.Linear(CHANNELS, 1));
  const net = new nn.Sequential(first, bn, last);
  const sgd = new optim.SGD(net.parameters(), { lr });

  const watched = [bn.weight!, bn.bias!, bn.runningMean!, bn.runningVar!];
  const paths = watched.map((tensor) => Array.from(tensor.data, (value) => [value]));
  /** Notes the values after an event. */
  const note = () =>
    watched.forEach((tensor, i) => tensor.data.forEach((value, c) => paths[i][c].push(value)));

  const switched = off === 0 ? 0 : Math.floor(steps / 2);
  const seen: Tensor[] = [];
  const loss: number[] = [];
  let recorder = record(net, sgd);
  for (let step = 0; step < steps; step++) {
    if (switched > 0 && step === switched) {
      // From here on it is counted anew.
      recorder.stop();
      recorder = record(net, sgd);
    }
    if (off === 1 && step === switched) sgd.paramGroups[0].lr = 0;
    if (off === 2 && step === switched) bn.eval();
    if (off === 3 && step === switched) bn.momentum = 0;

    const x = drawNoise([BATCH, 2]).mul(2).add(3);
    const wanted = x.narrow(1, 0, 1).sub(x.narrow(1, 1, 1)).sign();
    const h = first.forward(x);
    seen.push(h.detach());
    sgd.zeroGrad();
    const error = last.forward(bn.forward(h)).sub(wanted).square().mean();
    note();
    error.backward();
    sgd.step();
    note();
    loss.push(error.item());
  }

  const means = seen.map((h) => h.mean({ dim: 0 }).data);
  const variances = seen.map((h) => h.var({ dim: 0 }).data);
  const byChannel = (rows: Float64Array[]) =>
    Array.from({ length: CHANNELS }, (_, c) => rows.map((row) => row[c]));
  return {
    switched,
    ledger: ledgerOf(recorder.stop().toJSON()),
    weight: paths[0],
    bias: paths[1],
    runningMean: paths[2],
    runningVar: paths[3],
    batchMean: byChannel(means),
    batchVar: byChannel(variances),
    loss,
  };
}
