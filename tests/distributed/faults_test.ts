/** A job in which one rank goes wrong ends as a whole, at once, with a code that is not 0. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { type JobResult, runJob, testOnEach, testOnRanks } from "./jobs.ts";

async function isRunning(pid: number): Promise<boolean> {
  try {
    return !(await Deno.readTextFile(`/proc/${pid}/stat`)).includes(") Z ");
  } catch {
    return false;
  }
}

/** The processes of a job that are still there. */
async function leftOf({ stdout }: JobResult): Promise<number[]> {
  const pids = [...stdout.matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
  assert(pids.length > 0, stdout);
  const running = await Promise.all(pids.map(isRunning));
  return pids.filter((_, i) => running[i]);
}

const faults: Readonly<Record<string, string>> = {
  throw: "Error: a fault",
  reject: "Error: a fault",
  later: "Error: a fault",
  exit0: "rank 1: the program exited with code 0",
  exit3: "rank 1: the program exited with code 3",
  kill: "signal 9",
  interrupt: "signal 2",
  forever: "never resolved",
};

for (const [fault, message] of Object.entries(faults)) {
  testOnEach(`one rank that goes wrong ends the job: ${fault}`, [2, 3], async (ranks, launcher) => {
    const result = await runJob(ranks, "faults.ts", { args: [fault], launcher });
    assertNotEquals(result.code, 0);
    if (fault === "exit3") assertEquals(result.code, 3);
    // MPICH's launcher tells of signals on the standard output, and may name the one that ended the others.
    const isOfAny = launcher.name === "MPICH" && message.startsWith("signal");
    assertStringIncludes(result.stderr + result.stdout, isOfAny ? "(signal " : message);
    assertEquals(await leftOf(result), []);
  });
}

testOnEach("the watchdog names the rank that does not come", [2, 3], async (ranks, launcher) => {
  const result = await runJob(ranks, "faults.ts", { args: ["busy", '{"timeout":1000}'], launcher });
  assertNotEquals(result.code, 0);
  const waiting = ranks === 3 ? "ranks 0, 2" : "rank 0";
  assertMatch(
    result.stderr,
    new RegExp(
      `Cannot go on: rank 1 did not come to allReduce \\(number 2\\) within \\d\\.\\d s; ${waiting} waited there\\.`,
    ),
  );
  assertEquals(await leftOf(result), []);
});

testOnEach(
  "the watchdog names a rank that is elsewhere, or at its end",
  [2],
  async (_, launcher) => {
    const other = await runJob(2, "faults.ts", { args: ["other", '{"timeout":500}'], launcher });
    assertNotEquals(other.code, 0);
    assertStringIncludes(other.stderr, "broadcast_ (number 2)");
    assertStringIncludes(other.stderr, "allReduce (number 2)");
    const left = await runJob(2, "faults.ts", { args: ["leave", '{"timeout":500}'], launcher });
    assertNotEquals(left.code, 0);
    assertStringIncludes(left.stderr, "rank 1 has come to the end of the program");
  },
);

testOnEach("in debug mode shapes that differ are named", [2], async (_, launcher) => {
  const result = await runJob(2, "faults.ts", { args: ["shape", '{"debug":true}'], launcher });
  assertNotEquals(result.code, 0);
  assertStringIncludes(
    result.stderr,
    "Cannot run allReduce: got rank 0 allReduce of the sum with 2 values; rank 1 allReduce of the sum " +
      "with 3 values, expected the same on all ranks",
  );
});

testOnRanks("missing permissions are refused by a message that says what to pass", async () => {
  const ffi = await runJob(2, "faults.ts", { permissions: ["--allow-env", "--allow-read"] });
  assertNotEquals(ffi.code, 0);
  assertStringIncludes(ffi.stderr, "for 2 processes of Open MPI's mpirun, expected --allow-ffi");
  const env = await runJob(2, "faults.ts", { permissions: ["--allow-ffi", "--allow-read"] });
  assertNotEquals(env.code, 0);
  assertStringIncludes(env.stderr, "expected --allow-env=OMPI_COMM_WORLD_SIZE,");
});

testOnRanks("the permission for one library is enough", async () => {
  const libraries = ["x86_64", "aarch64"].map((cpu) => `/usr/lib/${cpu}-linux-gnu/libmpi.so.40`);
  for (const library of libraries) {
    if (!await Deno.stat(library).then(() => true, () => false)) continue;
    const { code, stderr } = await runJob(2, "collectives.ts", {
      permissions: [`--allow-ffi=${library}`, "--allow-env", "--allow-read"],
    });
    assertEquals(code, 0, stderr);
  }
});

testOnRanks("a library that is not there, or not one of MPI, is refused by name", async () => {
  const missing = await runJob(2, "faults.ts", { args: ["", '{"library":"/no/such/libmpi.so"}'] });
  assertNotEquals(missing.code, 0);
  assertStringIncludes(missing.stderr, "got library /no/such/libmpi.so, expected a library of MPI");
  const other = await runJob(2, "faults.ts", { args: ["", '{"library":"libm.so.6"}'] });
  assertNotEquals(other.code, 0);
  assertStringIncludes(other.stderr, "got library libm.so.6, expected a library of MPI");
});

testOnRanks("a library of another MPI than the launcher's is refused", async () => {
  const program = new URL("programs/collectives.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, '{"library":"libmpi.so.40"}'],
    // What MPICH's launcher tells its processes.
    env: { PMI_SIZE: "2", PMI_RANK: "0", NO_COLOR: "1" },
  }).output();
  assertNotEquals(code, 0);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "got libmpi.so.40 of Open MPI in a job of MPICH's mpiexec",
  );
});
