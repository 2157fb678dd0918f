/**
 * The runs of an experiment as the live page of many runs knows them: plain data, and what has changed in it.
 */

/** The runs of one config. */
export interface ConfigProgress {
  /** The config in words. */
  readonly label: string;
  /** How many runs it has. */
  readonly runs: number;
  /** How many have ended. */
  readonly ended: number;
  /** How many of those did not complete. */
  readonly lost: number;
  /** The metric of each completed run. */
  readonly values: readonly number[];
  /** The metric on the way, in the run that began last. */
  readonly curve: readonly number[];
}

/** The runs of an experiment. */
export interface RunsProgress {
  /** The experiment's name. */
  readonly name: string;
  /** What it is about to show. */
  readonly claim: string;
  /** The metric that is shown. */
  readonly metric: string;
  /** Whether it is to be large, to be small, or neither. */
  readonly goal: "max" | "min" | "none";
  /** Its unit; shares are shown in per cent for `%`. */
  readonly unit: string;
  /** How many runs there are. */
  readonly total: number;
  /** How many have ended. */
  readonly done: number;
  /** How long the rest takes, in seconds; `null` if nobody knows. */
  readonly secondsLeft: number | null;
  /** What each config has come to. */
  readonly configs: readonly ConfigProgress[];
}

/** What a config has more than before. */
export interface ConfigChange {
  /** Which config. */
  readonly at: number;
  readonly ended: number;
  readonly lost: number;
  /** Values that have come. */
  readonly values: readonly number[];
  /** Points that have come; all of them if another run began. */
  readonly curve: readonly number[];
  readonly isNewRun: boolean;
}

/** What there is more than before. */
export interface RunsChange {
  readonly done: number;
  readonly secondsLeft: number | null;
  readonly configs: readonly ConfigChange[];
}

/** What `now` has more than `before`. Values and curves only grow; a new run begins a new curve. */
export function changeOf(before: RunsProgress, now: RunsProgress): RunsChange {
  const configs = now.configs.flatMap((config, at): ConfigChange[] => {
    const old = before.configs[at];
    const { ended, lost, values, curve } = config;
    const isNewRun = old.curve.length > curve.length ||
      old.curve.some((y, i) => !Object.is(y, curve[i]));
    const change = {
      at,
      ended,
      lost,
      values: values.slice(old.values.length),
      curve: isNewRun ? curve : curve.slice(old.curve.length),
      isNewRun,
    };
    const isSame = ended === old.ended && lost === old.lost && change.values.length === 0 &&
      change.curve.length === 0 && !isNewRun;
    return isSame ? [] : [change];
  });
  return { done: now.done, secondsLeft: now.secondsLeft, configs };
}

/** The runs with a change put in. */
export function changed(before: RunsProgress, change: RunsChange): RunsProgress {
  const configs = [...before.configs];
  for (const { at, ended, lost, values, curve, isNewRun } of change.configs) {
    const old = configs[at];
    configs[at] = {
      ...old,
      ended,
      lost,
      values: [...old.values, ...values],
      curve: isNewRun ? curve : [...old.curve, ...curve],
    };
  }
  return { ...before, done: change.done, secondsLeft: change.secondsLeft, configs };
}
