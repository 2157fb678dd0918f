/** What importing the package must not do, because every program that uses it would wait for it. */
import { assertEquals } from "@std/assert";

/** Runs a program in a process of its own and returns what it prints. */
async function output(program: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", program],
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const url = new URL("../../mod.ts", import.meta.url).href;

Deno.test("importing the package loads none of Deno's Node compatibility, which takes longer than the import", async () => {
  const program = `
    Object.defineProperty(globalThis, "process", {
      get: () => { console.log("process was read"); },
      configurable: true,
    });
    await import(${JSON.stringify(url)});
    console.log("imported");`;
  assertEquals(await output(program), "imported\n");
});

Deno.test("importing the package compiles no WebAssembly and makes few weak references", async () => {
  const program = `
    const counts = { module: 0, weak: 0 };
    const { Module } = WebAssembly;
    WebAssembly.Module = new Proxy(Module, { construct: (...args) => {
      counts.module++;
      return Reflect.construct(...args);
    } });
    const { WeakRef: Weak } = globalThis;
    globalThis.WeakRef = new Proxy(Weak, { construct: (...args) => {
      counts.weak++;
      return Reflect.construct(...args);
    } });
    await import(${JSON.stringify(url)});
    console.log(counts.module, counts.weak <= 512);`;
  assertEquals(await output(program), "0 true\n");
});
