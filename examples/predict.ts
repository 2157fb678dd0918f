/**
 * Says which digit a PNG image shows, with a network that `deno task train --save FILE` has trained.
 */
import { parseArgs } from "node:util";
import { loadPng, loadState } from "../io/mod.ts";
import { nn, noGrad, type Tensor } from "../mod.ts";
import { toDigit } from "./digits/drawing.ts";
import { fromFile } from "./digits/files.ts";
import { DigitNet } from "./digits/network.ts";
import { faultOf, UsageError } from "./digits/options.ts";
import { percent } from "./digits/report.ts";

const HELP = `Say which digit an image shows.

  deno task train --save digits.safetensors
  deno task predict examples/data/three.png --model digits.safetensors

  --model FILE   the trained weights: what train --save wrote, a checkpoint, or any file of PyTorch,
                 safetensors or NumPy that holds the same network
  --help         this text

The digit may be dark on light or light on dark, of any size. A wrong option or a damaged file ends
with one line and exit code 2.
`;

interface PredictOptions {
  readonly image: string;
  readonly model: string;
}

function parse(args: readonly string[]): PredictOptions | null {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0].split(". To specify")[0];
    throw new UsageError(`${reason} (--help lists the options)`);
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  if (positionals.length !== 1) {
    throw new UsageError(`got ${positionals.length} images, expected one (--help says how)`);
  }
  if (values.model === undefined) {
    throw new UsageError("got no --model, expected the file of a trained network");
  }
  return { image: positionals[0], model: values.model };
}

/** The network that a state belongs to, for square images. */
function networkOf(
  state: ReadonlyMap<string, Tensor>,
  file: string,
): { net: DigitNet; side: number } {
  const weight = state.get("fc.weight");
  if (weight === undefined || weight.ndim !== 2) {
    throw new UsageError(`cannot use ${file}: it holds another network than train writes`);
  }
  const [classes, features] = weight.shape;
  const side = 4 * Math.sqrt(features / 32);
  if (!Number.isInteger(side)) {
    throw new UsageError(`cannot use ${file}: got a network for images that are not square`);
  }
  const net = new DigitNet(
    { height: side, width: side, classes },
    { batchNorm: state.has("bn1.weight") },
  );
  net.loadStateDict(state);
  return { net: net.eval(), side };
}

/** What the network sees, as text. */
function drawn(digit: Tensor): string {
  const side = digit.shape[3];
  const rows = Array.from({ length: side }, (_, y) =>
    Array.from(
      digit.data.subarray(y * side, (y + 1) * side),
      (value) => " .:-=+*#%@"[Math.min(9, Math.floor(value * 10))].repeat(2),
    ).join(""));
  return rows.map((row) => `  |${row}|`).join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const options = parse(args);
  if (options === null) return console.log(HELP);
  const { net, side } = networkOf(
    await fromFile(options.model, loadState(options.model)),
    options.model,
  );
  const digit = toDigit(await fromFile(options.image, loadPng(options.image)), side);
  if (digit === null) throw new UsageError(`cannot use ${options.image}: nothing is drawn in it`);
  const shares = noGrad(() => nn.functional.softmax(net.forward(digit), 1)).data;
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  console.log(`${drawn(digit)}\n`);
  console.log(`${order[0]}  (${percent(shares[order[0]])})`);
  console.log(`then ${order.slice(1, 3).map((i) => `${i} (${percent(shares[i])})`).join(", ")}`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    console.error(`predict: ${fault}`);
    Deno.exit(2);
  }
}
