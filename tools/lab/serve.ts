/**
 * Serves the lab on this machine alone.
 *
 *     deno task lab [--port N]
 *
 * @module
 */
import { buildLab } from "../../scope/lab/build.ts";
import { commandLine, integer } from "../command_line.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** Answers requests for the lab's files. */
export function answer(files: ReadonlyMap<string, string>, request: Request): Response {
  const { pathname } = new URL(request.url);
  const name = pathname === "/" ? "index.html" : pathname.slice(1);
  const text = files.get(name);
  if (text === undefined) return new Response("Not found", { status: 404 });
  const headers = { "content-type": TYPES[name.split(".").at(-1)!], "cache-control": "no-store" };
  return new Response(text, { headers });
}

if (import.meta.main) {
  const { port } = commandLine("lab", {
    port: integer("the port; 0 for one that is free", 0, { from: 0, to: 65535 }),
  });
  const files = await buildLab();
  Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: ({ port }) => console.log(`The lab is at http://127.0.0.1:${port}/ (Ctrl-C ends it)`),
  }, (request) => answer(files, request));
}
