import { assert, assertEquals, assertRejects } from "@std/assert";
import { zlibSync } from "npm:fflate@0.8.3";
import { Generator } from "../../mod.ts";
import { decodePng } from "../../io/mod.ts";
import { joinChunks } from "../../io/file.ts";
import { chunk, encodePng } from "./png.ts";

const KINDS: [name: string, colourType: number, samples: number, depths: number[]][] = [
  ["grey", 0, 1, [1, 2, 4, 8, 16]],
  ["colours", 2, 3, [8, 16]],
  ["grey and alpha", 4, 2, [8, 16]],
  ["colours and alpha", 6, 4, [8, 16]],
];

for (const [name, colourType, count, depths] of KINDS) {
  for (const depth of depths) {
    for (const interlaced of [false, true]) {
      Deno.test(`PNG: ${name} of ${depth} bits${interlaced ? ", interlaced" : ""}`, async () => {
        for (const [width, height] of [[11, 13], [1, 1], [3, 2], [8, 8]]) {
          const random = new Generator(width);
          const top = 2 ** depth - 1;
          const samples = Array.from(
            { length: width * height * count },
            () => Math.floor(random.uniform() * (top + 1)),
          );
          const image = await decodePng(
            encodePng({ width, height, depth, colourType, samples, interlaced }),
          );
          assertEquals(image.shape, [count, height, width]);
          image.data.forEach((value, i) => {
            const pixel = i % (width * height);
            const channel = Math.floor(i / (width * height));
            assertEquals(value, samples[pixel * count + channel] / top);
          });
        }
      });
    }
  }
}

Deno.test("PNG: palette, with and without transparency", async () => {
  const palette = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 51);
  for (const depth of [2, 4, 8]) {
    const image = { width: 3, height: 1, depth, colourType: 3, samples: [2, 0, 1], palette };
    assertEquals((await decodePng(encodePng(image))).toArray(), [[[0, 1, 0]], [[0, 0, 1]], [[
      0.2,
      0,
      0,
    ]]]);
    const transparency = Uint8Array.of(0, 51);
    const clear = await decodePng(encodePng({ ...image, transparency }));
    assertEquals(clear.toArray(), [[[0, 1, 0]], [[0, 0, 1]], [[0.2, 0, 0]], [[1, 0, 0.2]]]);
  }
});

Deno.test("PNG: one colour that is transparent", async () => {
  const image = { width: 2, height: 1, depth: 8, colourType: 2, samples: [1, 2, 3, 1, 2, 4] };
  const clear = await decodePng(
    encodePng({ ...image, transparency: Uint8Array.of(0, 1, 0, 2, 0, 3) }),
  );
  assertEquals((clear.toArray() as number[][][])[3], [[0, 1]]);
});

const good = encodePng({
  width: 4,
  height: 4,
  depth: 8,
  colourType: 0,
  samples: new Array(16).fill(7),
});

/** The file with other chunks after the signature. */
function withChunks(...chunks: Uint8Array[]): Uint8Array {
  return joinChunks([good.subarray(0, 8), ...chunks, chunk("IEND", new Uint8Array(0))]);
}

const header = good.subarray(16, 29);
const edited = (at: number, ...values: number[]): Uint8Array => {
  const bytes = header.slice();
  bytes.set(values, at);
  return chunk("IHDR", bytes);
};
const data = (size: number): Uint8Array => chunk("IDAT", zlibSync(new Uint8Array(size)));

for (
  const [name, bytes, message] of [
    ["another kind of file", new Uint8Array(20), "does not start as a PNG image"],
    ["nothing behind the signature", good.slice(0, 8), "expected IEND"],
    ["a flipped bit", good.map((byte, i) => i === 60 ? byte ^ 1 : byte), "another checksum"],
    ["no header", withChunks(data(20)), "expected IHDR"],
    [
      "16 million million pixels",
      withChunks(edited(0, 255, 255, 255, 255, 255, 255, 255, 255), data(9)),
      "pixels, expected",
    ],
    ["no pixels", withChunks(edited(0, 0, 0, 0, 0), data(0)), "pixels, expected"],
    ["a colour type that is none", withChunks(edited(9, 5), data(20)), "colour type 5"],
    ["depths that are none", withChunks(edited(8, 3), data(20)), "of 3 bits"],
    ["a palette image without palette", withChunks(edited(9, 3), data(20)), "expected PLTE"],
    [
      "a colour beyond the palette",
      encodePng({
        width: 1,
        height: 1,
        depth: 8,
        colourType: 3,
        samples: [3],
        palette: new Uint8Array(9),
      }),
      "got colour 3",
    ],
    ["too little data", withChunks(edited(0), data(19)), "got 19 bytes of image data, expected 20"],
    ["a bomb", withChunks(edited(0), data(5e7)), "got more than 20 bytes"],
    [
      "data that is not packed",
      withChunks(edited(0), chunk("IDAT", new Uint8Array(20))),
      "cannot be unpacked",
    ],
    [
      "an unknown filter",
      withChunks(edited(0), chunk("IDAT", zlibSync(new Uint8Array(20).fill(9)))),
      "filter 9",
    ],
    [
      "a needed chunk that is unknown",
      withChunks(edited(0), chunk("ABCD", new Uint8Array(0)), data(20)),
      "chunk ABCD",
    ],
  ] as const
) {
  Deno.test(`PNG: ${name} is refused`, async () => {
    const error = await assertRejects(() => decodePng(bytes, { name: "x.png" }), RangeError);
    assert(error.message.startsWith("Cannot read x.png: "), error.message);
    assert(error.message.includes(message), error.message);
  });
}
