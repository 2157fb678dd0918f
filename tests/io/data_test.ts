import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { gzipSync } from "npm:fflate@0.8.3";
import { gunzip, loadCsv, loadIdx, parseCsv, parseIdx } from "../../io/mod.ts";

const idx = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);

Deno.test("IDX is read plain and gzipped", async () => {
  for (const bytes of [idx, gzipSync(idx)]) {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, bytes);
    const { shape, values } = await loadIdx(path);
    assertEquals(shape, [2, 3]);
    assertEquals([...values], [1, 2, 3, 4, 5, 6]);
    await Deno.remove(path);
  }
});

Deno.test("IDX that unpacks to more than its header says is refused before it does", async () => {
  const bomb = new Uint8Array(5e7);
  bomb.set(idx);
  const error = await assertRejects(() => parseIdx(gzipSync(bomb), "x"), RangeError);
  assertEquals(
    error.message,
    "Cannot read x: got data that unpacks to more than 18 bytes, expected no more",
  );
});

for (
  const [name, bytes, message] of [
    ["other types", [0, 0, 13, 1, 0, 0, 0, 0], "starts with 00 00 0d 01"],
    ["missing values", [0, 0, 8, 1, 0, 0, 0, 9, 1], "got 9 bytes, expected 17"],
    ["values left over", [0, 0, 8, 1, 0, 0, 0, 0, 1], "got 9 bytes, expected 8"],
    ["a header cut off", [0, 0, 8, 3, 0, 0], "got 6 bytes"],
    ["nothing", [], "an empty file"],
  ] as const
) {
  Deno.test(`IDX with ${name} is refused`, async () => {
    await assertRejects(() => parseIdx(Uint8Array.from(bytes), "x"), RangeError, message);
  });
}

Deno.test("damaged gzip data is refused", async () => {
  const packed = gzipSync(idx);
  for (
    const bytes of [
      packed.slice(0, -6),
      packed.map((byte, i) => i === 14 ? byte ^ 255 : byte),
    ]
  ) {
    await assertRejects(() => gunzip(bytes, "x.gz"), RangeError, "Cannot read x.gz: got damaged");
  }
});

Deno.test("CSV with and without names", () => {
  const named = parseCsv("a,b\n1,2\r\n-3.5,4e-2\n\n");
  assertEquals(named.columns, ["a", "b"]);
  assertEquals(named.values.toArray(), [[1, 2], [-3.5, 0.04]]);
  const plain = parseCsv("1;2\n.5;+6.", { delimiter: ";" });
  assertEquals(plain.columns, null);
  assertEquals(plain.values.toArray(), [[1, 2], [0.5, 6]]);
  assertEquals(parseCsv("1,2\n3,4", { header: true }).columns, ["1", "2"]);
  assertEquals(parseCsv("").values.shape, [0, 0]);
  assertEquals(parseCsv("x,y\n").values.shape, [0, 2]);
});

Deno.test("CSV with quotes, infinities and empty cells", () => {
  const { columns, values } = parseCsv(
    '"a, ""b""\nc",d\n"1","nan"\n-inf,\n',
    { missing: -1 },
  );
  assertEquals(columns, ['a, "b"\nc', "d"]);
  assertEquals(values.toArray(), [[1, NaN], [-Infinity, -1]]);
});

for (
  const [name, text, message] of [
    ["text", "a,b\n1,2\n3,x", 'got "x" in line 3, column 2 ("b"), expected a number'],
    ["an empty cell", "1,2\n3,", 'got "" in line 2, column 2, expected a number'],
    ["a short row", "1,2\n3\n", "got 1 cells in line 2, expected 2"],
    ["a long row after quoted lines", '"a\nb",c\n1,2\n1,2,3', "got 3 cells in line 4, expected 2"],
    ["hexadecimal", "1\n0x10", 'got "0x10" in line 2'],
    ["an open quote", 'a\n"1', "a quote in line 2 that never ends"],
    ["text after a quote", 'a\n"1"2', 'got "2" after a quoted cell in line 2'],
  ] as const
) {
  Deno.test(`CSV with ${name} is refused`, () => {
    assertThrows(() => parseCsv(text, { name: "x.csv" }), RangeError, message);
  });
}

Deno.test("the digits are a table of 65 columns", async () => {
  const digits = new URL("../../examples/data/digits.csv.gz", import.meta.url);
  const { columns, values } = await loadCsv(digits.pathname);
  assertEquals(columns, null);
  assertEquals(values.shape, [1797, 65]);
});

Deno.test("CSV: columns of words are chosen, converted, or numbered as labels", () => {
  const text =
    "id,size,when,species\na1,5.1,2020-01-02,setosa\na2,NA,2020-01-03,virginica\na3,4.9,?,setosa\n";
  const table = parseCsv(text, {
    columns: ["size", "species"],
    labels: ["species"],
    missing: NaN,
    missingMarks: ["NA", "?"],
  });
  assertEquals(table.columns, ["size", "species"]);
  assertEquals(table.values.toArray(), [[5.1, 0], [NaN, 1], [4.9, 0]]);
  assertEquals(table.labels.get("species"), ["setosa", "virginica"]);

  const years = parseCsv(text, {
    columns: [2],
    missing: -1,
    missingMarks: ["?"],
    convert: (cell, column) => column === "when" && cell !== "?" ? Number(cell.slice(-2)) : null,
  });
  assertEquals(years.values.toArray(), [[2], [3], [-1]]);
  assertThrows(() => parseCsv(text), RangeError, "choose columns, or give labels");
  assertThrows(() => parseCsv(text, { columns: ["weight"] }), RangeError, 'got column "weight"');
  // A first row of data with a missing mark is no header.
  assertEquals(parseCsv("NA,NA\n1,2\n", { missing: 0, missingMarks: ["NA"] }).columns, null);
});
