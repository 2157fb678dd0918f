/**
 * The package as npm's projects install it: Deno's own tarball, completed by what npm's pages and
 * bundlers read, with links that lead somewhere from there.
 *
 *     deno task npm:pack [--out FILE]
 *
 * @module
 */
import { commandLine, place } from "./command_line.ts";

const root = new URL("../", import.meta.url);
/** Where the repository is. */
export const forge = "https://github.com/tapegrad/tapegrad";

/** What `deno pack` cannot know. */
const described = {
  description:
    "Automatic differentiation and neural networks in TypeScript, in float64, with batch " +
    "normalisation as a first-class operation. PyTorch's semantics, no dependencies.",
  keywords: [
    "autograd",
    "automatic differentiation",
    "backpropagation",
    "batch normalization",
    "batchnorm",
    "deep learning",
    "deno",
    "float64",
    "gradient",
    "machine learning",
    "neural network",
    "pytorch",
    "safetensors",
    "tensor",
    "typescript",
  ],
  homepage: `${forge}#readme`,
  bugs: { url: `${forge}/issues` },
  repository: { type: "git", url: `git+${forge}.git` },
  engines: { node: ">=20.16", deno: ">=2", bun: ">=1.2" },
};

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot pack: ${program} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`,
    );
  }
}

/** A document whose links into the repository are whole addresses. */
export function withWholeLinks(markdown: string): string {
  return markdown.replaceAll(
    /\]\((?!https?:|#|mailto:)(?:\.\/)?([^)\s]+)\)/g,
    (_, path: string) => {
      const isImage = /\.(?:png|svg|gif)$/.test(path);
      return `](${forge}/${isImage ? "raw" : "blob"}/main/${path})`;
    },
  );
}

/** Writes the tarball. */
export async function pack(file: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-pack-" });
  try {
    const plain = `${folder}/plain.tgz`;
    await run(Deno.execPath(), ["pack", "--quiet", "--allow-dirty", `--output=${plain}`]);
    await run("tar", ["-xzf", plain, "-C", folder]);
    const home = `${folder}/package`;
    const manifest = JSON.parse(await Deno.readTextFile(`${home}/package.json`));
    const { name, version, type, license, ...others } = manifest;
    // Importing the engine ties the methods of Tensor and makes tokens ahead. A bundler that steps over an
    // entry would step over that too; everything else may go where nobody uses it.
    const entries = Object.values(manifest.exports as Record<string, { import: string }>);
    const sideEffects = [
      ...entries.map((entry) => entry.import),
      "./autograd/runtime/tokens.js",
    ];
    const complete = { name, version, ...described, sideEffects, type, license, ...others };
    await Deno.writeTextFile(`${home}/package.json`, JSON.stringify(complete, null, 2) + "\n");
    for (const document of ["README.md", "CHANGELOG.md"]) {
      const text = await Deno.readTextFile(new URL(document, root));
      await Deno.writeTextFile(`${home}/${document}`, withWholeLinks(text));
    }
    await run("tar", ["-czf", `${folder}/whole.tgz`, "-C", folder, "package"]);
    await Deno.copyFile(`${folder}/whole.tgz`, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const { out: file } = commandLine("npm:pack", {
    out: place("FILE", "where the tarball is written", `tapegrad-${version}.tgz`),
  });
  await pack(file);
  console.log(`${file}: ${((await Deno.stat(file)).size / 1000).toFixed(0)} kB`);
}
