/** Sums over what was broadcast, where the axes form rows, columns or channels. */
import { type Door, door } from "../door.ts";
import * as plain from "./strided_plain.ts";
import { kernelsFor, place, takeBack } from "../../runtime/instance.ts";

/**
 * The transpose of `gatherStrided`: `out[offset + Σ index·stride] += x[i]`, from zeros. In which order
 * depends on the shape only.
 */
export const scatterStrided: Door<typeof plain.scatterStrided> = /* @__PURE__ */ door(
  plain.scatterStrided,
  (x, out, shape, strides, offset) => {
    const kernels = offset === 0 ? kernelsFor(x) : null;
    if (kernels === null) return false;
    const [sizes, steps] = plain.mergeAxes(shape, strides);
    const kind = steps.join();
    const n = out.length;
    // `out` holds one number for each row, column or channel, and nothing else.
    const [to, own] = place([out], 8 * n + 64);
    if (kind === "0") kernels.sumRows(x.byteOffset, to, 1, sizes[0]);
    else if (kind === "1,0" && n === sizes[0]) kernels.sumRows(x.byteOffset, to, n, sizes[1]);
    else if (kind === "0,1" && n === sizes[1]) {
      kernels.sumColumns(x.byteOffset, to, sizes[0], n, own);
    } else if (kind === "0,1,0" && n === sizes[1]) {
      kernels.sumChannels(x.byteOffset, to, sizes[0], n, sizes[2]);
    } else return false;
    takeBack(out, to);
    return true;
  },
);
