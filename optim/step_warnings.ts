/**
 * What optimizers and schedules warn of.
 */
import type { Tensor } from "../autograd/mod.ts";
import { heldGradOf, holdsUsed, kindOf, mayWarn, noteUse, warnOnce } from "../autograd/internal.ts";
import type { Optimizer } from "./optimizer.ts";

/** Schedules that went on before their optimizer's first step. */
const ahead = new WeakMap<Optimizer, string>();

/**
 * Notes the first step of a schedule. It is a mistake only if the optimizer steps later on: to look at
 * the rates of a schedule is none, so the warning waits for that.
 */
export function noteScheduleStep(optimizer: Optimizer, schedule: string): void {
  if (optimizer.stepCount === 0) ahead.set(optimizer, schedule);
}

/** Before an optimizer moves its parameters. */
export function warnOfStep(optimizer: Optimizer): void {
  const name = kindOf(optimizer);
  const schedule = ahead.get(optimizer);
  if (schedule !== undefined && optimizer.stepCount === 0) {
    warnOnce(
      optimizer,
      "optim-scheduler-first",
      `${schedule} stepped before ${name} had, so the first learning rate of the schedule is never ` +
        `used. Call optimizer.step() before scheduler.step().`,
    );
  }
  if (!mayWarn(optimizer, "optim-grad-not-cleared")) return;
  const grads = gradientsOf(optimizer);
  const kept = grads.filter((grad) => holdsUsed(grad, optimizer)).length;
  if (kept === 0) return;
  warnOnce(
    optimizer,
    "optim-grad-not-cleared",
    `${name} steps on gradients of which ${kept} of ${grads.length} still hold what its last step ` +
      `used: backward() adds to them. Call zeroGrad() after each step.`,
  );
}

/** After an optimizer has moved its parameters. */
export function noteStep(optimizer: Optimizer): void {
  if (!mayWarn(optimizer, "optim-grad-not-cleared")) return;
  for (const grad of gradientsOf(optimizer)) noteUse(grad, optimizer);
}

function gradientsOf(optimizer: Optimizer): Tensor[] {
  return optimizer.paramGroups.flatMap(({ params }) =>
    params.map(heldGradOf).filter((grad) => grad !== null)
  );
}
