/** The live page's server: who may ask for what, pausing, increments, and what is missed. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { RunRecord } from "../../scope/mod.ts";
import { Frames, RING } from "../../scope/live/frames.ts";
import { Gate } from "../../scope/live/gate.ts";
import { merge } from "../../scope/live/merge.ts";
import { serveLive } from "../../scope/live/mod.ts";
import { LiveServer } from "../../scope/live/serve_live.ts";
import { livePage, TARGET } from "../../tools/build_live_page.ts";
import { Training } from "./live_training.ts";

/** Addresses of a live page. */
function addresses(url: string) {
  const { origin, port, hash } = new URL(url);
  return { origin, port, token: hash.slice(1) };
}

/** A raw request, since fetch() does not let a program choose its Host. */
async function raw(port: string, lines: readonly string[]): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  try {
    const text = `${lines.join("\r\n")}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    await connection.write(new TextEncoder().encode(text));
    return (await new Response(connection.readable).text()).split("\r\n")[0];
  } catch (error) {
    return String(error);
  }
}

/** What a stream of events has sent so far. */
class Stream {
  text = "";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #done: Promise<void>;

  private constructor(response: Response) {
    this.#reader = response.body!.getReader();
    this.#done = this.#read();
  }

  static async open(origin: string, since: number | string): Promise<Stream> {
    return new Stream(await fetch(`${origin}/events?since=${since}`));
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    while (true) {
      const { done, value } = await this.#reader.read().catch(() => ({
        done: true,
        value: undefined,
      }));
      if (done) return;
      this.text += decoder.decode(value, { stream: true });
    }
  }

  /** Waits until something has come. */
  async until(part: string): Promise<void> {
    for (let i = 0; i < 500 && !this.text.includes(part); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertStringIncludes(this.text, part);
  }

  /** The numbers and contents of the events of a kind. */
  events(kind: string): { seq: number; data: string }[] {
    return this.text.split("\n\n").filter((block) => block.includes(`event: ${kind}\n`)).map((
      block,
    ) => ({
      seq: Number(/^id: (\d+)$/m.exec(block)?.[1]),
      data: /^data: (.*)$/m.exec(block)![1],
    }));
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
    await this.#done;
  }
}

Deno.test("the page's files hold what is in scope/live/page", async () => {
  const message = "run deno task build:live";
  assert(await Deno.readTextFile(TARGET) === await livePage(), message);
});

Deno.test("only the page itself can hold a run, and only this machine sees it", async () => {
  const { recorder } = new Training();
  const live = serveLive(recorder);
  const { origin, port, token } = addresses(live.url);
  const control = async (headers: Record<string, string>, body = "pause") => {
    const response = await fetch(`${origin}/control`, { method: "POST", headers, body });
    await response.text();
    return response.status;
  };
  assertEquals(await control({}), 403);
  assertEquals(await control({ "x-tapegrad-token": "guessed" }), 403);
  assertEquals(await control({ "x-tapegrad-token": token, origin: "http://evil.example" }), 403);
  assertEquals(await control({ "x-tapegrad-token": token }, "dance"), 400);
  assertEquals(await control({ "x-tapegrad-token": token }, "off eval"), 400);
  assertEquals(await control({ "x-tapegrad-token": token, origin }), 200);
  for (const path of ["/", "/state.json", "/events"]) {
    const line = await raw(port, [`GET ${path} HTTP/1.1`, `Host: evil.example:${port}`]);
    assertStringIncludes(line, "403");
  }
  const line = await raw(port, [
    "POST /control HTTP/1.1",
    "Host: evil.example",
    `X-Tapegrad-Token: ${token}`,
  ]);
  assertStringIncludes(line, "403");
  const page = await fetch(`${origin}/`);
  assertEquals(page.headers.get("access-control-allow-origin"), null);
  assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'none'");
  assert(!(await page.text()).includes(token));
  await live.end();
});

Deno.test("a paused run stands, takes one step at a time, and goes on", async () => {
  const training = new Training();
  const live = serveLive(training.recorder);
  const { origin, token } = addresses(live.url);
  const control = async (body: string) => {
    const headers = { "x-tapegrad-token": token };
    await (await fetch(`${origin}/control`, { method: "POST", headers, body })).text();
  };
  const run = (async () => {
    while (await live.next()) training.step();
  })();
  const settled = () => new Promise((resolve) => setTimeout(resolve, 60));
  const { recorder } = training;
  await control("pause");
  await settled();
  const stood = recorder.stepCount;
  await settled();
  assertEquals(recorder.stepCount, stood);
  await control("step");
  await settled();
  assertEquals(recorder.stepCount, stood + 1);
  await control("continue");
  await settled();
  assert(recorder.stepCount > stood + 1);
  await control("stop");
  await run;
  await live.end();
});

Deno.test("each switch stops what it says, and everything is as before when it is turned back", async () => {
  const { model, optimizer } = new Training();
  const gate = new Gate(model, optimizer);
  const state = () => [
    optimizer.paramGroups[0].lr,
    model.training,
    ...model.modules().flatMap((module) => "momentum" in module ? [module.momentum] : []),
  ];
  const before = state();
  for (
    const [what, expected] of [
      ["lr", [0, true, 0.1, 0.1]],
      ["eval", [0.1, false, 0.1, 0.1]],
      ["momentum", [0.1, true, 0, 0]],
      ["none", before],
    ] as const
  ) {
    gate.switchOff(what);
    await gate.next();
    assertEquals(state(), [...expected]);
  }
});

Deno.test("increments put together are the record, also when some come twice or late", () => {
  const training = new Training();
  const { recorder } = training;
  const frames = new Frames(recorder);
  training.step();
  frames.make();
  let whole = JSON.parse(JSON.stringify(recorder)) as RunRecord;
  for (let i = 0; i < 30; i++) {
    training.step();
    // A metric after the frame that told of its event.
    const { text } = frames.make();
    recorder.metric("accuracy", i, { unit: "%" });
    const part = JSON.parse(/^data: (.*)$/m.exec(text)![1]);
    const merged = merge(whole, part);
    if (merged === null) whole = JSON.parse(JSON.stringify(recorder));
    else whole = i % 3 === 0 ? merge(merged, part)! : merged;
  }
  const last = JSON.parse(/^data: (.*)$/m.exec(frames.make().text)![1]);
  assertEquals(JSON.stringify(merge(whole, last)), JSON.stringify(recorder));
});

Deno.test("who was away gets what was missed; who was away too long starts anew, once", async () => {
  const training = new Training();
  const gate = new Gate(null, null);
  const live = new LiveServer(training.recorder, 0, gate, 0);
  const { origin } = addresses(live.url);
  const { seq } = await (await fetch(`${origin}/state.json`)).json();
  const stays = await Stream.open(origin, seq);
  await stays.until("retry: 1000");
  for (let i = 0; i < 5; i++) {
    training.step();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await stays.until('"steps":5,');
  const sent = stays.events("frame");
  // Away after the second, back now: everything after the second, and nothing else.
  const back = await Stream.open(origin, sent[1].seq);
  await back.until('"steps":5,');
  const missed = back.events("frame").map(({ seq }) => seq);
  assertEquals(missed.slice(0, sent.length - 2), sent.slice(2).map(({ seq }) => seq));
  assertEquals(back.events("resync").length, 0);
  await back.close();

  for (let i = 0; i < RING + 10; i++) {
    gate.onState("running");
    if (i % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const late = await Stream.open(origin, seq);
  await late.until("event: resync");
  assertEquals(late.events("resync").length, 1);
  assertEquals(late.events("frame").length, 0);
  await late.close();
  await stays.close();
  await live.end();
});

Deno.test("without a page nothing is made of the events", async () => {
  const training = new Training();
  const live = new LiveServer(training.recorder, 0, new Gate(null, null), 0);
  const { origin } = addresses(live.url);
  for (let i = 0; i < 50; i++) training.step();
  const { seq } = await (await fetch(`${origin}/state.json`)).json();
  assertEquals(seq, 1);
  await live.end();
});

Deno.test("the end comes to every page, and nothing listens after it", async () => {
  const training = new Training();
  const live = serveLive(training.recorder);
  const { origin, port } = addresses(live.url);
  const stream = await Stream.open(origin, 0);
  await live.opened;
  training.step();
  await live.end();
  await stream.until('"state":"ended"');
  assertStringIncludes(stream.text, '"steps":1,');
  assertStringIncludes(await raw(port, ["GET / HTTP/1.1"]).catch(String), "refused");
  await stream.close();
});

Deno.test("wrong calls are named", () => {
  const { recorder } = new Training();
  assertThrows(() => serveLive({} as typeof recorder), TypeError, "expected a Recorder");
  assertThrows(() => serveLive(recorder, { port: 1e6 }), RangeError, "expected 0 to 65535");
});
