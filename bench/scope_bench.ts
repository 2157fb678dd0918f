/**
 * What recording costs: training steps of the digits' network with a recorder, without one, and on a copy
 * of the library from which the places where a recorder looks on are cut out.
 *
 *     deno task bench:scope [--rounds N]
 *
 * The three run in turns, a few steps at a time, and the ratios are those of the same turn: what else the
 * machine does hits all of them alike. Each training has a copy of the library to itself, so that all are
 * compiled and loaded in the same way; two equal copies tell how far a ratio can be trusted.
 *
 * @module
 */
import type * as Library from "../mod.ts";
import type * as Scope from "../scope/mod.ts";
import { commandLine, integer } from "../tools/command_line.ts";

const root = new URL("../", import.meta.url);
/** What a training with a recorder imports. */
const ROOMS = ["mod.ts", "deno.json", "autograd", "nn", "optim", "io", "scope"];
/** The places where a recorder looks on, each a line of its own. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  "nn/norm/batch_norm.ts": ["normWatcher?.before(this);", "normWatcher?.after(this, moments);"],
  "autograd/tensor.ts": ["if (editWatcher !== null) editWatcher(storage, editedBy);"],
};
const STEPS_IN_TURN = 5;
const WARM_UP = 60;
const STEPS_OF_RECORD = 10_000;
const BATCH = 32;

async function copy(from: URL, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile && !name.endsWith(".ts")) continue;
    if (name !== "assembly") await copy(new URL(`${from.href}/${name}`), `${to}/${name}`);
  }
}

/** A copy of the library, with or without the places where a recorder looks on. */
async function copied(folder: string, isWhole: boolean): Promise<string> {
  await Deno.mkdir(folder);
  for (const room of ROOMS) await copy(new URL(room, root), `${folder}/${room}`);
  if (isWhole) return folder;
  for (const [file, lines] of Object.entries(PLACES)) {
    let text = await Deno.readTextFile(`${folder}/${file}`);
    for (const line of lines) {
      if (!text.includes(line)) throw new Error(`Cannot cut a hook out: ${file} has no ${line}`);
      text = text.replace(line, "");
    }
    await Deno.writeTextFile(`${folder}/${file}`, text);
  }
  return folder;
}

/** A training that goes on, a turn at a time. */
interface Training {
  turn(): void;
  readonly recorder: Scope.Recorder | null;
}

async function training(folder: string, isRecorded: boolean): Promise<Training> {
  const { kernels, manualSeed, nn, optim, randn }: typeof Library = await import(
    `file://${folder}/mod.ts`
  );
  const { record }: typeof Scope = await import(`file://${folder}/scope/mod.ts`);
  await kernels.ready;
  manualSeed(0);
  const { maxPool2d, relu, crossEntropy } = nn.functional;
  // The network of examples/digits, of this copy's layers.
  class DigitNet extends nn.Module {
    readonly conv1 = new nn.Conv2d(1, 16, 3, { padding: 1, bias: false });
    readonly bn1 = new nn.BatchNorm2d(16);
    readonly conv2 = new nn.Conv2d(16, 32, 3, { padding: 1, bias: false });
    readonly bn2 = new nn.BatchNorm2d(32);
    readonly fc = new nn.Linear(32 * 4, 10);

    override forward(x: Library.Tensor): Library.Tensor {
      const half = maxPool2d(relu(this.bn1.forward(this.conv1.forward(x))), 2);
      const quarter = maxPool2d(relu(this.bn2.forward(this.conv2.forward(half))), 2);
      return this.fc.forward(quarter.flatten({ startDim: 1 }));
    }
  }
  const net = new DigitNet();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 });
  const images = Array.from({ length: 8 }, () => randn([BATCH, 1, 8, 8]));
  const labels = Array.from({ length: BATCH }, (_, i) => i % 10);
  const recorder = isRecorded ? record(net, sgd) : null;
  let step = 0;
  return {
    recorder,
    turn() {
      for (let i = 0; i < STEPS_IN_TURN; i++) {
        sgd.zeroGrad();
        const loss = crossEntropy(net.forward(images[step++ % images.length]), labels);
        loss.backward();
        sgd.step();
        recorder?.metric("training loss", loss.item());
      }
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median with the 95 % interval that ranks give, whatever the distribution. */
function interval(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const half = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))];
  const percent = (ratio: number) =>
    `${ratio < 1 ? "−" : "+"}${Math.abs(100 * (ratio - 1)).toFixed(2)} %`;
  const middle = sorted.length / 2;
  return `${percent(median(values))} (${percent(at(middle - half))} to ${
    percent(at(middle + half))
  })`;
}

async function compare(rounds: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-scope-bench-" });
  try {
    const whole = await copied(`${folder}/whole`, true);
    const again = await copied(`${folder}/again`, true);
    const cut = await copied(`${folder}/cut`, false);
    const recorded = await copied(`${folder}/recorded`, true);
    const trainings = {
      off: await training(whole, false),
      again: await training(again, false),
      cut: await training(cut, false),
      on: await training(recorded, true),
    };
    const names = Object.keys(trainings) as (keyof typeof trainings)[];
    for (const name of names) {
      for (let i = 0; i < WARM_UP / STEPS_IN_TURN; i++) trainings[name].turn();
    }
    const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
      keyof typeof trainings,
      number[]
    >;
    for (let round = 0; round < rounds; round++) {
      // Each begins a round as often as the others.
      for (let i = 0; i < names.length; i++) {
        const name = names[(round + i) % names.length];
        const started = performance.now();
        trainings[name].turn();
        times[name].push((performance.now() - started) / STEPS_IN_TURN);
      }
    }
    const ratios = (of: keyof typeof trainings, to: keyof typeof trainings) =>
      interval(times[of].map((time, i) => time / times[to][i]));
    const { turn, recorder } = trainings.on;
    while (recorder!.stepCount < STEPS_OF_RECORD) turn();
    const bytes = JSON.stringify(recorder).length;
    console.log(
      `a training step: ${
        median(times.off).toFixed(3)
      } ms; ${rounds} rounds of ${STEPS_IN_TURN} steps`,
    );
    console.log(
      `recorder on, against off:                  ${ratios("on", "off")}, at most 5 % asked`,
    );
    console.log(
      `recorder off, against none to be had:      ${ratios("off", "cut")}, at most 0.5 % asked`,
    );
    console.log(`two equal copies, against each other:      ${ratios("again", "off")}`);
    console.log(
      `the record after ${STEPS_OF_RECORD} steps:               ${
        (bytes / 1e6).toFixed(2)
      } MB, less than 5 MB asked`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const { rounds } = commandLine("bench:scope", {
    rounds: integer("how often each of the trainings takes its turn", 400),
  });
  await compare(rounds);
  Deno.exit();
}
