/**
 * An experiment with other values: what the command line sets.
 */
import { derived, type Experiment, seedsOf } from "./experiment.ts";
import { canonical } from "./identity.ts";
import type { Config } from "./space.ts";

/** What a call changes of an experiment. */
export interface Changes {
  /** Values to take in place of those of axes and of `fixed`. */
  readonly set?: Readonly<Record<string, readonly Config[string][]>>;
  /** Which configs. */
  readonly where?: readonly Config[];
  /** The seeds. */
  readonly seeds?: number | readonly number[];
  /** Whether the shorter form is taken first. */
  readonly quick?: boolean;
}

/**
 * The experiment with other values.
 *
 * @throws {RangeError} if a name is unknown, or no config is left.
 */
export function changed(experiment: Experiment, changes: Changes): Experiment {
  const { set = {}, where = [], quick = false } = changes;
  const action = `change ${experiment.name}`;
  const short = quick ? experiment.quick : {};
  let fixed: Config = { ...experiment.fixed, ...short.fixed };
  let configs = experiment.configs.filter((config) =>
    short.where?.({ ...config, ...fixed }) ?? true
  );
  const names = [...new Set([...configs.flatMap(Object.keys), ...Object.keys(fixed)])];
  const check = (name: string) => {
    if (names.includes(name)) return;
    throw new RangeError(
      `Cannot ${action}: got ${name}, expected one of ${names.join(", ")}`,
    );
  };
  for (const [name, values] of Object.entries(set)) {
    check(name);
    if (name in fixed && values.length === 1) {
      fixed = { ...fixed, [name]: values[0] };
      continue;
    }
    const { [name]: _, ...rest } = fixed;
    fixed = rest;
    configs = configs.flatMap((config) => values.map((value) => ({ ...config, [name]: value })));
  }
  const once = new Map(configs.map((config) => [canonical(config), config]));
  configs = [...once.values()];
  if (where.length > 0) {
    for (const name of where.flatMap(Object.keys)) check(name);
    configs = configs.filter((config) => {
      const whole: Config = { ...config, ...fixed };
      return where.every((part) =>
        Object.entries(part).every(([name, value]) => whole[name] === value)
      );
    });
  }
  if (configs.length === 0) {
    throw new RangeError(`Cannot ${action}: got no config that is asked for, expected at least 1`);
  }
  const seeds = changes.seeds ?? short.seeds ?? experiment.seeds;
  const result = { ...experiment, fixed, configs, seeds: seedsOf(action, seeds) };
  return derived(result);
}
