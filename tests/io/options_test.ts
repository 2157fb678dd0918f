/**
 * Options of readers and writers: an unknown one is refused by name.
 */
import { assertRejects } from "@std/assert";
import { nn, ones } from "../../mod.ts";
import * as io from "../../io/mod.ts";

Deno.test("readers and writers refuse unknown options, and options by their place", async () => {
  const state = new Map([["weight", ones([2])]]);
  const bytes = new Uint8Array(0);
  const calls: [call: (options: never) => unknown, key: string][] = [
    [(options) => io.encodeNpy(ones([2]), options), "dtype"],
    [(options) => io.decodeNpy(bytes, options), "name"],
    [(options) => io.encodeNpz(state, options), "dtype"],
    [(options) => io.decodeNpz(bytes, options), "name"],
    [(options) => io.encodeSafetensors(state, options), "metadata"],
    [(options) => io.decodeSafetensors(bytes, options), "name"],
    [(options) => io.encodeTorch(state, options), "dtype"],
    [(options) => io.decodeTorch(bytes, options), "name"],
    [(options) => io.encodeOnnx(new nn.ReLU(), ones([2]), options), "dtype"],
    [(options) => io.decodePng(bytes, options), "name"],
    [(options) => io.parseCsv("1,2", options), "header"],
    [(options) => io.loadState("none", options), "key"],
  ];
  for (const [call, key] of calls) {
    const unknown = async () => await call({ compress: true } as never);
    await assertRejects(unknown, TypeError, "got an option compress, expected");
    const byPlace = async () => await call("F32" as never);
    await assertRejects(byPlace, TypeError, `an object such as { ${key}: … }`);
  }
});
