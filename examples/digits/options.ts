/**
 * The command line of the main job.
 */
import { parseArgs } from "node:util";

/** A fault of the user's: told in one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
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
}

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
  --help              this text

It ends with a table of what the optimizer learned (γ, β) and what forward passes tracked (running
mean and variance). Wrong options and damaged files end with one line and exit code 2.
`;

/**
 * Reads the arguments; `null` stands for `--help`.
 *
 * @throws {UsageError} for an unknown option or a value out of range.
 */
export function parseOptions(args: readonly string[]): TrainOptions | null {
  const values = parse(args);
  if (values.help) return null;
  return {
    epochs: integer("--epochs", values.epochs, 1),
    batchSize: integer("--batch-size", values["batch-size"], 2),
    lr: real("--lr", values.lr),
    momentum: real("--momentum", values.momentum),
    weightDecay: real("--weight-decay", values["weight-decay"]),
    bnMomentum: real("--bn-momentum", values["bn-momentum"], 1),
    seed: integer("--seed", values.seed, 0),
    batchNorm: values.bn,
    data: values.data ?? null,
    save: values.save ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        epochs: { type: "string", default: "15" },
        "batch-size": { type: "string", default: "32" },
        lr: { type: "string", default: "0.05" },
        momentum: { type: "string", default: "0.9" },
        "weight-decay": { type: "string", default: "0.0005" },
        "bn-momentum": { type: "string", default: "0.1" },
        seed: { type: "string", default: "0" },
        bn: { type: "boolean", default: true },
        data: { type: "string" },
        save: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0].split(". To specify")[0];
    throw new UsageError(`${reason} (--help lists the options)`);
  }
}

function integer(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`got ${name} ${text}, expected a whole number of at least ${least}`);
  }
  return value;
}

function real(name: string, text: string, most = Infinity): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0 || value > most) {
    const range = most === Infinity ? "a number of at least 0" : `a number from 0 to ${most}`;
    throw new UsageError(`got ${name} ${text}, expected ${range}`);
  }
  return value;
}
