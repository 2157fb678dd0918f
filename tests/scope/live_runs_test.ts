/** The live page of an experiment: what it is told, and who may stop the runs. */
import { assert, assertEquals } from "@std/assert";
import { changed, changeOf, type RunsProgress } from "../../scope/live/runs.ts";
import { serveRuns } from "../../scope/live/serve_runs.ts";
import { exampleRuns } from "./live_runs.ts";

/** What the events of a stream come to, as the page puts them together. */
async function followed(origin: string): Promise<{ state: string; runs: RunsProgress }> {
  const response = await fetch(`${origin}/events`);
  let [state, runs] = ["", null as RunsProgress | null];
  for (const block of (await response.text()).split("\n\n")) {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    if (event === undefined) continue;
    const data = JSON.parse(/^data: (.*)$/m.exec(block)![1]);
    if (event === "all") ({ state, runs } = data);
    if (event === "change") runs = changed(runs!, data);
    if (event === "state") state = data;
  }
  return { state, runs: runs! };
}

Deno.test("changes put together are the runs, also where a curve begins anew and numbers are not finite", () => {
  const all = exampleRuns();
  let known = structuredClone(all.progress);
  for (let i = 0; i < 300; i++) {
    all.advance(i);
    if (i % 7 !== 0) continue;
    known = changed(known, changeOf(known, all.progress));
    assertEquals(known, structuredClone(all.progress));
  }
  assertEquals(changeOf(known, known).configs, []);
});

Deno.test("every page has at the end what the runs came to, whenever it was opened", async () => {
  const all = exampleRuns();
  const live = serveRuns(() => all.progress);
  const { origin } = new URL(live.url);
  const early = followed(origin);
  for (let i = 0; i < 60; i++) {
    all.advance(i);
    live.note();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const late = followed(origin);
  await (await fetch(`${origin}/state.json`)).text();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await live.end();
  // JSON has no NaN.
  const runs = JSON.parse(JSON.stringify(all.progress));
  for (const page of [await early, await late]) assertEquals(page, { state: "ended", runs });
});

Deno.test("only who has the address with its token can stop the runs", async () => {
  const all = exampleRuns();
  const live = serveRuns(() => all.progress);
  const { origin, hash } = new URL(live.url);
  const stop = async (token: string, body = "stop") => {
    const headers = { "x-tapegrad-token": token };
    const response = await fetch(`${origin}/control`, { method: "POST", headers, body });
    await response.text();
    return response.status;
  };
  assertEquals([await stop("guessed"), await stop(hash.slice(1), "pause")], [403, 400]);
  assert(!live.stopped.aborted);
  assertEquals(await stop(hash.slice(1)), 200);
  assert(live.stopped.aborted);
  await live.end();
});
