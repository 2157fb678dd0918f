/**
 * A wrong library fails its experiments: each fault is put into a copy of one of its files, which an import
 * map puts in the file's place.
 */
import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Changes of a file: what is replaced by what. */
interface Fault {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const faults: Readonly<Record<string, { readonly experiment: string; readonly by: Fault[] }>> = {
  "buffers are handed to the optimizer": {
    experiment: "separation",
    by: [{
      file: "nn/module/module.ts",
      from: "return this.namedParameters(options).map(([, parameter]) => parameter);",
      to: "return [...this.namedParameters(options).map(([, x]) => x), ...this.buffers()];",
    }],
  },
  "statistics move in evaluation": {
    experiment: "separation",
    by: [{
      file: "nn/norm/batch_norm.ts",
      from: "const training = this.training && !this.frozenStats;",
      to: "const training = !this.frozenStats;",
    }],
  },
  "evaluation normalises with the batch": {
    experiment: "leakage",
    by: [{
      file: "nn/norm/batch_norm.ts",
      from: "const useBatch = training || ",
      to: "const useBatch = true || ",
    }],
  },
  "dx lacks the term of the variance": {
    experiment: "gradient-explosion",
    by: [
      {
        file: "autograd/kernels/norm/batch_norm_plain.ts",
        from: "q[c] = -p[c] * invStd[c] * sumGX / count;",
        to: "q[c] = 0;",
      },
      {
        // The vectorised kernel, which is right, steps aside.
        file: "autograd/kernels/norm/batch_norm.ts",
        from: "kernelsAround(x, g, following, routed, dx)",
        to: "g.length > 0 ? null : kernelsAround(x, g, following, routed, dx)",
      },
    ],
  },
  "eps is always the same": {
    experiment: "scale-invariance",
    by: [{ file: "nn/norm/batch_norm.ts", from: "eps: given.eps ?? 1e-5,", to: "eps: 1e-5," }],
  },
  "momentum weighs the old statistics": {
    experiment: "separation",
    by: [{
      file: "nn/norm/running_statistics.ts",
      from: "blend(runningMean, runningVar, factor, moments);",
      to: "blend(runningMean, runningVar, 1 - factor, moments);",
    }],
  },
  "γ gets no gradient": {
    experiment: "bn-only",
    by: [{
      file: "nn/norm/batch_norm.ts",
      from: "weight: this.weight,",
      to: "weight: this.weight === null ? null : this.weight.detach(),",
    }],
  },
  "freeze() freezes nothing": {
    experiment: "frozen-at-the-end",
    by: [{
      file: "nn/norm/batch_norm.ts",
      from: "if (stats && !this.frozenStats) {",
      to: "if (stats && this.frozenStats) {",
    }],
  },
  "updateBn leaves the statistics as they are": {
    experiment: "domain-shift",
    by: [{
      file: "nn/norm/recalibrate.ts",
      from: "const passes = recalibration(model, exact, pooling);",
      to: "if (model !== null) return;\n  const passes = recalibration(model, exact, pooling);",
    }],
  },
  "virtualBatchSize is ignored": {
    experiment: "normalisation-batch",
    by: [{
      file: "nn/norm/batch_norm.ts",
      from: "if (size === null || n <= size) return null;",
      to: "if (size === null || n > 0) return null;",
    }],
  },
};

/** The text of a file that is moved elsewhere: its imports become absolute. */
function withAbsoluteImports(text: string, url: URL): string {
  return text.replaceAll(
    /(from|import) "(\.{1,2}\/[^"]+)"/g,
    (_, word, path) => `${word} "${new URL(path, url)}"`,
  );
}

async function runWith(experiment: string, by: readonly Fault[]): Promise<Deno.CommandOutput> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-mutant-" });
  try {
    const imports: Record<string, string> = {};
    for (const { file, from, to } of by) {
      const url = new URL(file, root);
      const text = await Deno.readTextFile(url);
      assertEquals(text.split(from).length, 2, `${file} no longer has: ${from}`);
      const copy = `${folder}/${file.replaceAll("/", "-")}`;
      await Deno.writeTextFile(copy, withAbsoluteImports(text.replace(from, () => to), url));
      imports[url.href] = `file://${copy}`;
    }
    const map = `${folder}/map.json`;
    await Deno.writeTextFile(map, JSON.stringify({ imports }));
    return await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--no-prompt", "-A", `--import-map=${map}`],
        ...[new URL("tools/experiment.ts", root).pathname, experiment, "--quick", "--check"],
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [name, { experiment, by }] of Object.entries(faults)) {
  Deno.test(`${experiment} fails where ${name}`, async () => {
    const { code, stdout, stderr } = await runWith(experiment, by);
    const decoder = new TextDecoder();
    const out = decoder.decode(stdout);
    assertEquals(code, 1, out + decoder.decode(stderr));
    assert(/^✗ /m.test(out), out + decoder.decode(stderr));
  });
  Deno.test(`${experiment} holds where nothing is wrong (${name})`, async () => {
    const { code, stdout } = await runWith(
      experiment,
      by.map((fault) => ({ ...fault, to: fault.from })),
    );
    assertEquals(code, 0, new TextDecoder().decode(stdout));
  });
}
