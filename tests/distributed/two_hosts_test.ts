/**
 * Two hosts: network namespaces with addresses and names of their own, TCP between them, and a script in the
 * place of ssh. One is lost in the middle of the training, and the other goes on from the checkpoint.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { assertClose } from "../assert_close.ts";
import { withTempDir } from "../io/temp_dir.ts";
import { expectJob, openMpi } from "./jobs.ts";

// Other runs of this test may make hosts at the same time.
const A = `tapegrad-a-${Deno.pid}`;
const B = `tapegrad-b-${Deno.pid}`;
const program = new URL("programs/two_hosts.ts", import.meta.url).pathname;

async function run(...command: string[]): Promise<boolean> {
  const [name, ...args] = command;
  const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
  return await new Deno.Command(name, options).output().then(({ success }) => success, () => false);
}

async function removeHosts(): Promise<void> {
  for (const host of [A, B]) await run("ip", "netns", "delete", host);
}

/** Two namespaces with a cable between them; false where that is not allowed. */
async function makeHosts(): Promise<boolean> {
  await removeHosts();
  const steps = [
    ["netns", "add", A],
    ["netns", "add", B],
    ["link", "add", "cable-a", "netns", A, "type", "veth", "peer", "name", "cable-b", "netns", B],
    ["-n", A, "addr", "add", "10.77.0.1/24", "dev", "cable-a"],
    ["-n", B, "addr", "add", "10.77.0.2/24", "dev", "cable-b"],
    ...[["-n", A, "link", "set", "lo", "up"], ["-n", A, "link", "set", "cable-a", "up"]],
    ...[["-n", B, "link", "set", "lo", "up"], ["-n", B, "link", "set", "cable-b", "up"]],
  ];
  for (const step of steps) if (!await run("ip", ...step)) return false;
  return true;
}

/** A command on a host: its network, and its name. */
function onHost(host: string, ...command: string[]): string[] {
  const start = 'hostname "$0"; exec "$@"';
  return ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c", start, host, ...command];
}

const canMakeHosts = openMpi !== null && await makeHosts() && await run(...onHost(A, "true"));
await removeHosts();
if (openMpi !== null && !canMakeHosts) {
  console.log(
    "The test of two hosts is left out: it needs root, ip and unshare for network namespaces.",
  );
}

interface Told {
  readonly step: number;
  readonly loss: number;
  readonly host: string;
}

function toldIn(stdout: string): Told[] {
  return stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

Deno.test({
  name: "of two hosts one is lost, and the other goes on from the checkpoint",
  ignore: !canMakeHosts,
  async fn() {
    await withTempDir(async (folder) => {
      assert(await makeHosts());
      try {
        const file = `${folder}/run.pt`;
        // mpirun calls it as it would call ssh: HOST COMMAND…, joined by a shell.
        const agent = `${folder}/agent.sh`;
        const quoted = onHost(B, "sh", "-c").map((word) => `'${word}'`).join(" ");
        await Deno.writeTextFile(agent, `#!/bin/sh\nshift\nexec ${quoted} "$*"\n`, { mode: 0o755 });
        const [name, ...args] = onHost(
          A,
          ...["mpirun", "--timeout", "60", "-np", "2", "--map-by", "node"],
          ...["--host", "10.77.0.1:1,10.77.0.2:1"],
          ...["--mca", "plm", "rsh", "--mca", "plm_rsh_agent", agent],
          ...["--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.77.0.0/24"],
          ...["--mca", "oob_tcp_if_include", "10.77.0.0/24"],
          ...[Deno.execPath(), "run", "-A", "--no-check", "--no-prompt", program, file, "1000000"],
        );
        const job = new Deno.Command(name, {
          args,
          env: {
            OMPI_ALLOW_RUN_AS_ROOT: "1",
            OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
            NO_COLOR: "1",
          },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const errors = new Response(job.stderr).text();
        let printed = "";
        let isLost = false;
        for await (const chunk of job.stdout.pipeThrough(new TextDecoderStream())) {
          printed += chunk;
          if (isLost || toldIn(printed.slice(0, printed.lastIndexOf("\n"))).length < 25) continue;
          isLost = true;
          await lose(B);
        }
        const { code } = await job.status;
        assert(isLost, `${printed}\n${await errors}`);
        assertNotEquals(code, 0);
        await errors;
        const before = toldIn(printed);
        assertEquals(new Set(before.map(({ host }) => host)), new Set([A]));

        // The host that is left goes on, with one rank, on the same global batches.
        const after = toldIn(await expectJob(1, "two_hosts.ts", { args: [file, "20"] }));
        const whole = toldIn(
          await expectJob(1, "two_hosts.ts", {
            args: [`${folder}/whole.pt`, String(after.at(-1)!.step)],
          }),
        );
        assert(after[0].step > 1 && after[0].step <= before.at(-1)!.step + 1, `${after[0].step}`);
        for (const part of [before, after]) {
          const [first] = part;
          const expected = whole.slice(first.step - 1, first.step - 1 + part.length);
          const length = Math.min(part.length, expected.length);
          assertClose(
            part.slice(0, length).map(({ loss }) => loss),
            expected.slice(0, length).map(({ loss }) => loss),
            1e-12,
            0,
            `losses from step ${first.step} on`,
          );
        }
      } finally {
        await removeHosts();
      }
    });
  },
});

/** Cuts the cable of a host and ends all that runs there, as where its power fails. */
async function lose(host: string): Promise<void> {
  const { stdout } = await new Deno.Command("ip", { args: ["netns", "pids", host] }).output();
  await run("ip", "-n", host, "link", "set", "cable-b", "down");
  for (const pid of new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean)) {
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch (error) {
      // It may have ended by itself.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
