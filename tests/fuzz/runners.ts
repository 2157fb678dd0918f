/**
 * Where programs run: this process on each set of kernels, and PyTorch in a process of its own.
 *
 * @module
 */
import { info, setThreads, useBlas } from "../../autograd/runtime/control.ts";
import { type Build, setSmallest, useBuild } from "../../autograd/runtime/instance.ts";
import { setPooledFrom } from "../../autograd/runtime/memory.ts";
import type { Runner } from "./compare.ts";
import { execute } from "./execute.ts";
import type { Observation, Program } from "./program.ts";

/** A way to run programs. */
export interface Place {
  readonly name: string;
  readonly run: Runner;
  /** Whether it may refuse what is computed here; see `difference`. */
  readonly edited?: boolean;
}

async function onBuild(
  build: Build,
  everySize: boolean,
  program: Program,
  nudge = 0,
): Promise<Observation[]> {
  useBuild(build);
  if (everySize) {
    setPooledFrom(1);
    setSmallest(0);
  }
  return await Promise.resolve(execute(program, nudge));
}

/** The plain kernels: what all others are compared with. */
export const reference: Runner = (program) => onBuild("plain", false, program);

/** The plain kernels on leaves that a rounding error has moved. */
export function nudged(program: Program): Promise<Observation[]> {
  return onBuild("plain", false, program, 1e-13);
}

/** Every set of kernels that this engine has, small tensors sent to them too. */
export async function kernelPlaces(): Promise<Place[]> {
  const places: Place[] = info().supported.filter((build) => build !== "plain").map((build) => ({
    name: build,
    run: (program) => onBuild(build, true, program),
  }));
  places.push({
    name: "two threads",
    run: async (program) => {
      useBuild(info().supported[0]);
      await setThreads(2);
      const observations = await onBuild(info().supported[0], true, program);
      await setThreads(1);
      return observations;
    },
  });
  if (await canUseBlas()) {
    places.push({
      name: "BLAS",
      run: async (program) => {
        useBlas();
        const observations = await onBuild(info().supported[0], true, program);
        useBlas(null);
        return observations;
      },
    });
  }
  return places;
}

async function canUseBlas(): Promise<boolean> {
  try {
    useBlas();
    useBlas(null);
    return await Promise.resolve(true);
  } catch (error) {
    console.log(`Programs do not run on BLAS here: ${(error as Error).message.split("\n")[0]}`);
    return false;
  }
}

/** PyTorch, where Python has it: a place, and how to end its process. */
export async function torchPlace(): Promise<(Place & AsyncDisposable) | null> {
  const python = "/usr/bin/python3";
  try {
    const probe = new Deno.Command(python, {
      args: ["-c", "import torch"],
      stdout: "null",
      stderr: "null",
    });
    if (!(await probe.output()).success) throw new Error("no module torch");
  } catch {
    console.log("Programs are not compared with PyTorch here: Python does not have it.");
    return null;
  }
  const script = new URL("torch_runner.py", import.meta.url).pathname;
  const child = new Deno.Command(python, {
    args: ["-W", "ignore", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  return {
    name: "PyTorch",
    edited: true,
    run: async (program) => {
      await writer.write(new TextEncoder().encode(JSON.stringify(program) + "\n"));
      while (!rest.includes("\n")) {
        const { value, done } = await lines.read();
        if (done) throw new Error("Cannot read from PyTorch: its process ended");
        rest += value;
      }
      const end = rest.indexOf("\n");
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return JSON.parse(
        line.replaceAll(/-?\bInfinity\b|\bNaN\b/g, '"$&"'),
        (_, value) => /^(NaN|-?Infinity)$/.test(value) ? Number(value) : value,
      );
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await lines.cancel();
      await child.status;
    },
  };
}
