/**
 * Learning rate schedules against the table that tools/record_schedules.py writes.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { zeros } from "../../autograd/mod.ts";
import { lrScheduler, type Optimizer, swa } from "../../optim/mod.ts";
import * as optim from "../../optim/mod.ts";
import table from "./data/schedules.json" with { type: "json" };

interface ScheduleSpec {
  type: string;
  options?: Record<string, unknown>;
  parts?: ScheduleSpec[];
  milestones?: number[];
}

interface Case {
  name: string;
  optimizer: { type: string; lrs: number[]; options: Record<string, unknown> };
  schedules: ScheduleSpec[];
  lrs: number[][];
  momenta?: number[][];
  jumps?: (number | null)[];
}

const cases = table.cases as unknown as Case[];

const functions: Record<string, lrScheduler.LrLambda> = {
  inverse: (epoch) => 1 / (1 + epoch),
  wave: (epoch) => 1 + (epoch % 7 - 3) / 10,
  constant: () => 0.93,
};

/** `T_max` → `tMax`, `step_size` → `stepSize`. */
function camel(key: string): string {
  const name = key.replace(/_([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
  return name[0].toLowerCase() + name.slice(1);
}

type Schedule = lrScheduler.LRScheduler | lrScheduler.ReduceLROnPlateau;

function build(spec: ScheduleSpec, optimizer: Optimizer): Schedule {
  if (spec.parts !== undefined) {
    const parts = spec.parts.map((part) => build(part, optimizer) as lrScheduler.LRScheduler);
    return spec.milestones === undefined
      ? new lrScheduler.ChainedScheduler(parts)
      : new lrScheduler.SequentialLR(optimizer, parts, spec.milestones);
  }
  const options = Object.fromEntries(
    Object.entries(spec.options!).map(([key, value]) => [camel(key), value]),
  );
  const names = options.lrLambda;
  if (typeof names === "string") options.lrLambda = functions[names];
  else if (names !== undefined) options.lrLambda = (names as string[]).map((n) => functions[n]);
  const kinds = { ...lrScheduler, SWALR: swa.SWALR } as unknown as Record<
    string,
    new (optimizer: Optimizer, options: object) => Schedule
  >;
  return new kinds[spec.type](optimizer, options);
}

function makeOptimizer({ type, lrs, options }: Case["optimizer"]): Optimizer {
  const kinds = optim as unknown as Record<
    string,
    new (groups: object[], options: object) => Optimizer
  >;
  return new kinds[type](lrs.map((lr) => ({ params: [zeros([1])], lr })), options);
}

function momenta(optimizer: Optimizer): number[] {
  return optimizer.paramGroups.map((group) => {
    const { betas, momentum } = group as unknown as { betas?: number[]; momentum?: number };
    return betas?.[0] ?? momentum!;
  });
}

/** One epoch of the table. */
function advance(schedule: Schedule, epoch: number, jump: number | null): void {
  if (schedule instanceof lrScheduler.ReduceLROnPlateau) schedule.step(table.metrics[epoch]);
  else if (jump === null) schedule.step();
  else schedule.step(jump);
}

function compare(what: string, actual: readonly number[], expected: readonly number[]): void {
  assertEquals(actual.length, expected.length, what);
  actual.forEach((value, i) =>
    assertAlmostEquals(value, expected[i], 1e-15 + 1e-12 * Math.abs(expected[i]), `${what} ${i}`)
  );
}

for (const { name, optimizer: spec, schedules, lrs, momenta: expectedMomenta, jumps } of cases) {
  Deno.test(`${name} follows PyTorch for ${lrs.length - 1} epochs`, () => {
    const optimizer = makeOptimizer(spec);
    const made = schedules.map((schedule) => build(schedule, optimizer));
    for (let epoch = 0; epoch < lrs.length; epoch++) {
      if (epoch > 0) {
        for (const schedule of made) {
          advance(schedule, epoch - 1, jumps?.[epoch - 1] ?? null);
        }
        compare(`getLastLr() at epoch ${epoch}`, made.at(-1)!.getLastLr(), lrs[epoch]);
      }
      const found = optimizer.paramGroups.map((group) => group.lr as number);
      compare(`lr at epoch ${epoch}, group`, found, lrs[epoch]);
      if (expectedMomenta !== undefined) {
        compare(`momentum at epoch ${epoch}`, momenta(optimizer), expectedMomenta[epoch]);
      }
    }
  });

  if (jumps === undefined) {
    Deno.test(`${name} goes on from its state dict`, () => {
      const optimizer = makeOptimizer(spec);
      const made = schedules.map((schedule) => build(schedule, optimizer));
      for (let epoch = 0; epoch < 23; epoch++) {
        for (const schedule of made) advance(schedule, epoch, null);
      }
      const resumed = makeOptimizer(spec);
      const remade = schedules.map((schedule) => build(schedule, resumed));
      resumed.loadStateDict(optimizer.stateDict());
      remade.forEach((schedule, i) => {
        // What is saved are plain numbers and lists, as a file holds them.
        schedule.loadStateDict(structuredClone(made[i].stateDict()));
        assertEquals(schedule.getLastLr(), made[i].getLastLr());
      });
      for (let epoch = 23; epoch < lrs.length - 1; epoch++) {
        for (const schedule of remade) advance(schedule, epoch, null);
        const found = resumed.paramGroups.map((group) => group.lr as number);
        compare(`lr at epoch ${epoch + 1}, group`, found, lrs[epoch + 1]);
      }
    });
  }
}

Deno.test("the table holds every schedule", () => {
  const text = JSON.stringify(cases);
  for (const name of Object.keys(lrScheduler)) {
    if (name !== "LRScheduler") assert(text.includes(`"${name}"`), `no case of ${name}`);
  }
});
