/**
 * Shift and recalibration.
 */
import type { Numbers } from "../scenes/shift.ts";
import { Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { type Drawn, key, num, percent, short, times, type View } from "./view.ts";

const SIDE = 7;

/** Ten images in a row, before and after, as squares of grey. */
function gallery({ examples }: Numbers, width: number): string {
  const cell = Math.min(10, Math.floor((width - 4) / (examples.length * (SIDE + 1))));
  const step = cell * (SIDE + 1);
  const squares = (pixels: number[], left: number, top: number) =>
    pixels.map((value, p) => {
      const grey = Math.round(255 * Math.min(1, Math.max(0, value)));
      const [x, y] = [left + cell * (p % SIDE), top + cell * Math.floor(p / SIDE)];
      return `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="rgb(${grey},${grey},${grey})"/>`;
    }).join("");
  const rows = examples.map(({ before, after }, i) =>
    squares(before, 2 + i * step, 18) + squares(after, 2 + i * step, 36 + step)
  );
  const height = 40 + 2 * step;
  const labels = examples.map(({ label }) => label).join(", ");
  return `<svg role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<title>The digits ${labels} as in training, above, and shifted, below</title>` +
    `<text class="label" x="2" y="13">as in training</text>` +
    `<text class="label" x="2" y="${31 + step}">as they are seen now</text>${rows.join("")}</svg>`;
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "shift",
  title: "Shift and recalibration",
  lead:
    "Tiny digits arrive with another contrast and brightness. The weights are as good as ever; the " +
    "running statistics are those of other images. New statistics from images without any label " +
    "may be all that is needed.",
  controls: [
    {
      key: "contrast",
      label: "Contrast",
      kind: "range",
      values: [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2],
      initial: 0.4,
      text: (value) => `${short(value)} times`,
    },
    {
      key: "brightness",
      label: "Brightness",
      kind: "range",
      values: [-1, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 1],
      initial: 0.4,
      text: (value) => `${value > 0 ? "+" : ""}${short(value)}`,
    },
    {
      key: "unlabelled",
      label: "Images for new statistics",
      kind: "range",
      values: [4, 8, 16, 32, 64, 128, 256],
      initial: 128,
      text: (value) => `${value} images, no labels`,
    },
    {
      key: "inverted",
      label: "Turn images into negatives",
      kind: "check",
      values: [0, 1],
      initial: 0,
      text: (value) => value === 1 ? "negatives" : "as they are",
    },
  ],
  ...predicting("shift", {
    question: "the images become negatives. Do new statistics bring the accuracy back?",
    answers: ["Nearly all of it", "Hardly anything"],
    set: { inverted: 1 },
    right: 1,
    why:
      "Statistics undo a scale above 0 and an offset. A negative turns every difference around, and " +
      "the spread, which is all that a variance knows, stays what it was.",
  }),
  draw(numbers, { unlabelled }, width): Drawn {
    const bars: [string, number, string][] = [
      ["as in training", numbers.known, "bar third"],
      ["shifted", numbers.shifted, "bar second"],
      ["shifted, new statistics", numbers.recalibrated, "bar first"],
      ["as in training, new statistics", numbers.knownRecalibrated, "bar third"],
    ];
    const plot = new Plot({
      width,
      height: 48 + 44 * bars.length,
      x: [0, 100],
      y: [0, bars.length],
      yTicks: [],
      left: 8,
      xLabel: "accuracy, %",
    });
    bars.forEach(([name, value, mark], i) => {
      const y = bars.length - i;
      plot.text("label", 0, y - 0.28, `${name}: ${(100 * value).toFixed(1)} %`, 2);
      plot.bar(mark, 0, y - 0.9, 100 * value, y - 0.45);
    });
    const isSame = numbers.recalibrated === numbers.knownRecalibrated;
    return {
      takeaway: `The shift takes accuracy from ${percent(numbers.known)} to ${
        percent(numbers.shifted)
      }. Statistics of ${num(unlabelled)} images bring it to ${percent(numbers.recalibrated)}${
        isSame
          ? ", exactly what the same gives without a shift"
          : `; without a shift the same gives ${percent(numbers.knownRecalibrated)}`
      }. γ, β and the weights moved ${times(numbers.learnedMoves)}.`,
      figures: [
        {
          title: "What the network sees.",
          svg: gallery(numbers, width),
          legend:
            "Ten test images; values below 0 and above 1 are cut off here, not for the network.",
          table: {
            head: ["digit", "mean before", "mean after", "largest before", "largest after"],
            rows: numbers.examples.map(({ label, before, after }) => [
              label,
              before.reduce((sum, value) => sum + value, 0) / before.length,
              after.reduce((sum, value) => sum + value, 0) / after.length,
              Math.max(...before),
              Math.max(...after),
            ]),
          },
        },
        {
          title: `Accuracy on 400 test images, before and after the statistics were taken anew.`,
          svg: plot.toString("Accuracy in four situations"),
          legend: key("bar second", "bar", "statistics of training, shifted images") +
            key("bar first", "bar", "statistics of the shifted images"),
          table: {
            head: ["situation", "accuracy"],
            rows: bars.map(([name, value]) => [name, value]),
          },
        },
      ],
    };
  },
};
