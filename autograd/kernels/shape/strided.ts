/** Sums over what was broadcast, where the axes form rows, columns or channels. */
import { type Door, door } from "../door.ts";
import * as plain from "./strided_plain.ts";
import { copyOut, inPool, kernelsFor, scratch } from "../../runtime/instance.ts";

/**
 * The transpose of `gatherStrided`: `out[offset + Σ index·stride] += x[i]`, from zeros. In which order
 * depends on the shape only.
 */
export const scatterStrided: Door<typeof plain.scatterStrided> = /* @__PURE__ */ door(
  plain.scatterStrided,
  (x, out, shape, strides, offset) => {
    const kernels = kernelsFor(x);
    if (kernels !== null && offset === 0) {
      const [sizes, steps] = plain.mergeAxes(shape, strides);
      const kind = steps.join();
      const n = out.length;
      // `out` holds one number for each row, column or channel, and nothing else.
      const direct = inPool(out);
      const at = scratch(16 * n + 64);
      const to = direct ? out.byteOffset : at;
      let done = true;
      if (kind === "0") kernels.sumRows(x.byteOffset, to, 1, sizes[0]);
      else if (kind === "1,0" && n === sizes[0]) kernels.sumRows(x.byteOffset, to, n, sizes[1]);
      else if (kind === "0,1" && n === sizes[1]) {
        kernels.sumColumns(x.byteOffset, to, sizes[0], n, at + 8 * n);
      } else if (kind === "0,1,0" && n === sizes[1]) {
        kernels.sumChannels(x.byteOffset, to, sizes[0], n, sizes[2]);
      } else done = false;
      if (done && !direct) copyOut(at, out);
      return done;
    }
    return false;
  },
);
