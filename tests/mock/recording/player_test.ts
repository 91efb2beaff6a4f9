/** Replays keep the recorded times. */
import assert from "node:assert/strict";
import { withAccessLog } from "../../../lib/mock/access_log.ts";
import type { LocatedExchange, RecordedResponse } from "../../../lib/mock/recording/exchange.ts";
import { Player } from "../../../lib/mock/recording/player.ts";
import { RequestLog } from "../../../lib/mock/request_log.ts";
import { loadServers } from "../../../lib/protocols/servers.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

function exchangeOf(response: Partial<RecordedResponse>): LocatedExchange {
  return {
    version: 1,
    time: "2026-01-02T03:04:05.000Z",
    line: 1,
    request: { method: "POST", path: "/v1/chat/completions", headers: {}, json: { model: "m" } },
    response: {
      status: 200,
      headers: { "content-type": "text/event-stream" },
      at: 500,
      chunks: [{ at: 1000, text: "a" }, { at: 4000, text: "b" }],
      end: "complete",
      endAt: 5000,
      ...response,
    },
  };
}

async function playerOf(exchange: LocatedExchange, speed: number, clock: VirtualClock) {
  return new Player({
    file: "tape.jsonl",
    exchanges: [exchange],
    speed,
    repeat: true,
    servers: await loadServers(),
    log: new RequestLog(),
    clock,
  });
}

/** Replays an exchange, and returns what arrives when, in milliseconds. */
async function timesOf(exchange: LocatedExchange, speed: number): Promise<[number, string][]> {
  const clock = new VirtualClock();
  const player = await playerOf(exchange, speed, clock);
  const times: [number, string][] = [];
  const init = { method: "POST", body: '{"model":"m"}' };
  const request = new Request("http://mock/v1/chat/completions", init);
  const read = async () => {
    const response = await player.answer(request);
    times.push([clock.now(), String(response.status)]);
    try {
      for await (const bytes of response.body!) {
        times.push([clock.now(), new TextDecoder().decode(bytes)]);
      }
      times.push([clock.now(), "end"]);
    } catch {
      times.push([clock.now(), "broken"]);
    }
  };
  await clock.run(read());
  return times;
}

Deno.test("a stream is replayed with its timing", async () => {
  assert.deepEqual(await timesOf(exchangeOf({}), 1), [
    [500, "200"],
    [1000, "a"],
    [4000, "b"],
    [5000, "end"],
  ]);
});

Deno.test("a stream is replayed faster, or at once", async () => {
  assert.deepEqual(await timesOf(exchangeOf({}), 10), [
    [50, "200"],
    [100, "a"],
    [400, "b"],
    [500, "end"],
  ]);
  const times = await timesOf(exchangeOf({}), Infinity);
  assert.deepEqual(times, [[0, "200"], [0, "a"], [0, "b"], [0, "end"]]);
});

Deno.test("a plain answer arrives whole when it had ended", async () => {
  const headers = { "content-type": "application/json" };
  assert.deepEqual(await timesOf(exchangeOf({ headers }), 1), [
    [5000, "200"],
    [5000, "ab"],
    [5000, "end"],
  ]);
});

Deno.test("a broken answer breaks when it did, also if it was plain", async () => {
  const headers = { "content-type": "application/json" };
  for (const response of [{}, { headers }]) {
    assert.deepEqual(await timesOf(exchangeOf({ ...response, end: "broken" }), 1), [
      [500, "200"],
      [1000, "a"],
      [4000, "b"],
      [5020, "broken"],
    ]);
  }
});

Deno.test("where the client left, the replay waits for it to leave, but not forever", async () => {
  const times = await timesOf(exchangeOf({ end: "aborted" }), Infinity);
  assert.deepEqual(times.at(-1), [5000, "broken"]);
});

Deno.test("the access log shows that a client left, unless it had the whole answer", async () => {
  for (const [received, expected] of [[1, "aborted"], [2, "complete"]] as const) {
    const player = await playerOf(exchangeOf({}), Infinity, new VirtualClock());
    const outcomes: string[] = [];
    const answer = withAccessLog(
      (request) => player.answer(request),
      ({ outcome }) => void outcomes.push(outcome),
    );
    const leaving = new AbortController();
    const init = { method: "POST", body: '{"model":"m"}', signal: leaving.signal };
    const response = await answer(new Request("http://mock/v1/chat/completions", init));
    const reader = response.body!.getReader();
    for (let i = 0; i < received; i++) await reader.read();
    leaving.abort();
    assert.deepEqual(outcomes, [expected]);
  }
});
