/**
 * What one rank measures; `bench/distributed_bench.ts` starts it. The first argument says what: `messages`,
 * or `steps` with the samples of all ranks together and the number of steps. Rank 0 prints JSON.
 */
import { DistributedDataParallel, init } from "../../distributed/mod.ts";
import { Generator, nn, optim, randint, randn } from "../../mod.ts";

const [what, samples = "1024", count = "3", timeout = "600000"] = Deno.args;
using group = init({ timeout: Number(timeout) });

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Milliseconds of one call, the median of some rounds. */
function time(calls: number, fn: () => void): number {
  for (let i = 0; i < calls; i++) fn();
  const rounds = Array.from({ length: 7 }, () => {
    group.wait("bench");
    const start = performance.now();
    for (let i = 0; i < calls; i++) fn();
    return (performance.now() - start) / calls;
  });
  return median(rounds);
}

function messages(): { bytes: number; ms: number }[] {
  return [1, 16, 129, 1024, 8192, 65536, 2 ** 20].map((length) => {
    const values = new Float64Array(length);
    const calls = length < 2000 ? 500 : length < 100_000 ? 50 : 3;
    return { bytes: 8 * length, ms: time(calls, () => group.reduce("bench", values, "sum")) };
  });
}

/** An MLP of 784-2048-2048-10 with SyncBatchNorm; milliseconds of a step, the best and the median. */
function steps(): { best: number; median: number } {
  const net = new nn.Sequential(
    ...[new nn.Linear(784, 2048, { bias: false }), new nn.SyncBatchNorm(2048), new nn.ReLU()],
    ...[new nn.Linear(2048, 2048, { bias: false }), new nn.SyncBatchNorm(2048), new nn.ReLU()],
    new nn.Linear(2048, 10),
  );
  const model = new DistributedDataParallel(net);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const own = Number(samples) / group.size;
  const generator = new Generator(group.rank);
  const x = randn([own, 784], { generator });
  const labels = randint(0, 10, [own], { generator });
  const took: number[] = [];
  for (let step = 0; step <= Number(count); step++) {
    group.wait("bench");
    const start = performance.now();
    optimizer.zeroGrad();
    nn.functional.crossEntropy(model.forward(x), labels).backward();
    optimizer.step();
    // The first one warms up.
    if (step > 0) took.push(performance.now() - start);
  }
  return { best: Math.min(...took), median: median(took) };
}

const result = what === "messages" ? messages() : steps();
if (group.rank === 0) console.log(JSON.stringify(result));
