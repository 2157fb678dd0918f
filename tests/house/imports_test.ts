import { assert, assertEquals } from "@std/assert";
import { publishedModules, root } from "./package.ts";

// The order in which modules may use each other's values: a module may import from its own layer and
// from those above it in this list. Types may be imported from anywhere.
const layers: [name: string, files: RegExp][] = [
  ["runtime", /^autograd\/runtime\//],
  ["kernels", /^autograd\/kernels\//],
  ["tape", /^autograd\/(tensor|shape|print|statistics|random|warnings)\.ts$/],
  ["tape", /^autograd\/(tape|check|random)\//],
  ["operations", /^autograd\/ops\//],
  ["reverse pass", /^autograd\/reverse\//],
  ["doors of autograd", /^autograd\/(mod|internal|methods)\.ts$/],
  ["nn", /^nn\//],
  ["optim", /^optim\//],
  ["statistics of experiments", /^experiment\/statistics\//],
  ["io, scope, distributed", /^(io|scope|distributed)\//],
  ["entry", /^mod\.ts$/],
  ["experiment", /^experiment\//],
];

// These must run without any package, and without the standard library.
const withoutDependencies = /^(mod\.ts$|autograd\/|nn\/|optim\/)/;

interface Dependency {
  specifier: string;
  code?: { specifier?: string; error?: string };
}

const modules = await publishedModules();

/** The imports of values, by module; packages and built-in modules keep their specifier. */
async function valueImports(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const module of modules) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", module],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const graph = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, dependencies } of graph.modules) {
      if (!specifier.startsWith(root.href)) continue;
      found.set(
        specifier.slice(root.href.length),
        (dependencies as Dependency[] ?? [])
          .filter(({ code }) => code !== undefined)
          .map(({ code, specifier }) => {
            const target = code!.specifier ?? specifier;
            return target.startsWith(root.href) ? target.slice(root.href.length) : target;
          }),
      );
    }
    // One graph holds many modules; the rest of the list is looked at only where it is new.
    if (modules.every((other) => found.has(other))) break;
  }
  return found;
}

function layerOf(module: string): number {
  const first = layers.findIndex(([, files]) => files.test(module));
  assert(first >= 0, `${module} is in no layer: put it into the list in ${import.meta.url}`);
  return layers.findIndex(([name]) => name === layers[first][0]);
}

const imports = await valueImports();

Deno.test("values are imported from the module's own layer or one below it", () => {
  const wrong: string[] = [];
  for (const [module, targets] of imports) {
    for (const target of targets) {
      if (!imports.has(target)) continue;
      if (layerOf(target) > layerOf(module)) wrong.push(`${module} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the other rooms reach the engine through its two doors", () => {
  const doors = ["autograd/mod.ts", "autograd/internal.ts"];
  // The switches of the kernels are public under a name of their own.
  const switches = "autograd/runtime/control.ts";
  const wrong: string[] = [];
  for (const [module, targets] of imports) {
    if (module.startsWith("autograd/")) continue;
    for (const target of targets) {
      if (!target.startsWith("autograd/") || doors.includes(target)) continue;
      if (module !== "mod.ts" || target !== switches) wrong.push(`${module} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no module imports its own values in a circle", () => {
  const state = new Map<string, "open" | "closed">();
  const circles: string[] = [];
  const visit = (module: string, path: string[]) => {
    if (state.get(module) === "closed") return;
    if (state.get(module) === "open") {
      circles.push([...path.slice(path.indexOf(module)), module].join(" → "));
      return;
    }
    state.set(module, "open");
    for (const target of imports.get(module) ?? []) visit(target, [...path, module]);
    state.set(module, "closed");
  };
  for (const module of imports.keys()) visit(module, []);
  assertEquals(circles, []);
});

Deno.test("the core imports nothing from outside", () => {
  const outside: string[] = [];
  for (const [module, targets] of imports) {
    if (!withoutDependencies.test(module)) continue;
    for (const target of targets) {
      if (!withoutDependencies.test(target)) outside.push(`${module} imports ${target}`);
    }
  }
  assertEquals(outside, []);
});
