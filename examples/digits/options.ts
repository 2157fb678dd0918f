/**
 * The command line of the main job.
 */
import { parseArgs } from "node:util";

/** A fault of the user's: told in one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * The line that a user is told of a fault; `null` for a fault that is the program's own. Places that no
 * permission opens (Deno asks for all of them there) are refused, not asked for.
 */
export function faultOf(error: unknown): string | null {
  const isUsers = error instanceof UsageError || error instanceof RangeError ||
    error instanceof Deno.errors.NotCapable;
  if (!isUsers) return null;
  const line = error.message.split("\n")[0];
  const closed = /^Requires all access to (".*"),/.exec(line);
  return closed === null ? line : `cannot use ${closed[1]}: it is closed to programs`;
}

/** What the command line says. */
export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly bnMomentum: number;
  readonly seed: number;
  readonly batchNorm: boolean;
  readonly data: string | null;
  readonly save: string | null;
  /** Where the report of the run goes: .html, .svg or .json. */
  readonly report: string | null;
  /** Whether a page on this machine follows the run. */
  readonly live: boolean;
  readonly resume: string | null;
  readonly checkpoint: string;
  /** Steps from one checkpoint to the next; `null` for none but that of an interruption. */
  readonly checkpointEvery: number | null;
}

const DEFAULTS: TrainOptions = {
  epochs: 15,
  batchSize: 32,
  lr: 0.05,
  momentum: 0.9,
  weightDecay: 0.0005,
  bnMomentum: 0.1,
  seed: 0,
  batchNorm: true,
  data: null,
  save: null,
  report: null,
  live: false,
  resume: null,
  checkpoint: "digits.checkpoint.pt",
  checkpointEvery: null,
};

export const HELP = `Train a small convolutional network with BatchNorm on handwritten digits.

  deno task train [options]

  --epochs N          passes over the training images (default 15)
  --batch-size N      images in a step (default 32)
  --lr X              learning rate of SGD (default 0.05)
  --momentum X        momentum of SGD (default 0.9)
  --weight-decay X    weight decay of SGD (default 0.0005)
  --bn-momentum X     weight of a batch in the running statistics (default 0.1)
  --seed N            seed of the split, the weights and the shuffling (default 0)
  --no-bn             the same network without BatchNorm
  --data DIR          a folder in MNIST's IDX format, gzipped or not, in place of the digits
  --save FILE         write the trained weights (safetensors, PyTorch's names)
  --report FILE       write a page that shows what learned and what was tracked: FILE.html; the first
                      screen of it as a figure: FILE.svg; the record of the run: FILE.json
  --live              serve a page on 127.0.0.1 that follows the run, and can pause and stop it; training
                      starts when it is opened
  --checkpoint-every N  write a checkpoint after every N steps
  --checkpoint FILE   where to (default digits.checkpoint.pt, or the file that was resumed)
  --resume FILE       go on with the run of a checkpoint, with its options; --epochs, --lr, --momentum
                      and --weight-decay may be other ones
  --help              this text

Ctrl-C stops after the current step, writes a checkpoint and says how to go on: the resumed run ends
bit for bit where the whole one would have.

It ends with a table of what the optimizer learned (γ, β) and what forward passes tracked (running
mean and variance). Wrong options and damaged files end with one line and exit code 2.
`;

/**
 * Reads the arguments; `null` stands for `--help`.
 *
 * @param args The arguments.
 * @param saved The options of the run that is resumed, in force where no others are given.
 * @throws {UsageError} for an unknown option, a value out of range, or one that the run cannot change.
 */
export function parseOptions(
  args: readonly string[],
  saved: TrainOptions | null = null,
): TrainOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const defaults = { ...DEFAULTS, ...saved };
  const every = values["checkpoint-every"];
  const options: TrainOptions = {
    epochs: integer("--epochs", values.epochs, 1) ?? defaults.epochs,
    batchSize: integer("--batch-size", values["batch-size"], 2) ?? defaults.batchSize,
    lr: real("--lr", values.lr) ?? defaults.lr,
    momentum: real("--momentum", values.momentum, { below: 1 }) ?? defaults.momentum,
    weightDecay: real("--weight-decay", values["weight-decay"]) ?? defaults.weightDecay,
    bnMomentum: real("--bn-momentum", values["bn-momentum"], { most: 1 }) ?? defaults.bnMomentum,
    seed: integer("--seed", values.seed, 0) ?? defaults.seed,
    batchNorm: values.bn ?? defaults.batchNorm,
    data: values.data ?? defaults.data,
    save: values.save ?? defaults.save,
    report: reportFile(values.report) ?? null,
    live: values.live,
    resume: values.resume ?? null,
    checkpoint: values.checkpoint ?? values.resume ?? DEFAULTS.checkpoint,
    checkpointEvery: integer("--checkpoint-every", every, 1) ?? defaults.checkpointEvery,
  };
  for (const key of saved === null ? [] : FIXED) {
    if (options[key] !== saved![key]) {
      throw new UsageError(
        `got ${key} ${options[key]}, expected ${saved![key]} as in the run of ${options.resume}`,
      );
    }
  }
  return options;
}

/** What a run cannot change on its way. */
const FIXED = ["seed", "batchSize", "batchNorm", "bnMomentum", "data"] as const;

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: withNegativeNumbers(args),
      allowNegative: true,
      options: {
        epochs: { type: "string" },
        "batch-size": { type: "string" },
        lr: { type: "string" },
        momentum: { type: "string" },
        "weight-decay": { type: "string" },
        "bn-momentum": { type: "string" },
        seed: { type: "string" },
        bn: { type: "boolean" },
        data: { type: "string" },
        save: { type: "string" },
        report: { type: "string" },
        live: { type: "boolean", default: false },
        resume: { type: "string" },
        checkpoint: { type: "string" },
        "checkpoint-every": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0].split(". To specify")[0];
    throw new UsageError(`${reason} (--help lists the options)`);
  }
}

/** `--lr -1` as `--lr=-1`: a number that is out of range rather than an option that is not known. */
function withNegativeNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1);
    if (/^-\.?\d/.test(arg) && option !== undefined && /^--[a-z-]+$/.test(option)) {
      joined[joined.length - 1] = `${option}=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

function reportFile(text: string | undefined): string | undefined {
  if (text === undefined || /[^/]\.(html|svg|json)$/.test(text)) return text;
  throw new UsageError(`got --report ${text}, expected a file that ends in .html, .svg or .json`);
}

function integer(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`got ${name} ${text}, expected an integer of at least ${least}`);
  }
  return value;
}

function real(
  name: string,
  text: string | undefined,
  { most = Infinity, below = Infinity }: { readonly most?: number; readonly below?: number } = {},
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isInRange = Number.isFinite(value) && value >= 0 && value <= most && value < below;
  if (text.trim() === "" || !isInRange) {
    const range = most < Infinity
      ? `a number from 0 to ${most}`
      : `a number of at least 0${below < Infinity ? ` and below ${below}` : ""}`;
    throw new UsageError(`got ${name} ${text}, expected ${range}`);
  }
  return value;
}
