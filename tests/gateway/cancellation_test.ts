/** When a client leaves, everything that its call holds is free again, and the provider's work ends. */
import assert from "node:assert/strict";
import { pipelineOf } from "../../lib/client/client.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { CountingAccess } from "../support/counting_access.ts";
import { gatewayOf, type TestGateway } from "../support/gateway.ts";
import {
  answer,
  chunk,
  type ModelRequest,
  type ModelServer,
  refuse,
  startModelServer,
  startStream,
  STREAM_END,
} from "../support/model_server.ts";

const FORMATS: readonly ((stream: boolean) => [path: string, body: object])[] = [
  (stream) => ["/v1/chat/completions", { stream, messages: [{ role: "user", content: "Hi" }] }],
  (stream) => ["/v1/responses", { stream, input: "Hi" }],
  (stream) => [
    "/v1/messages",
    { stream, max_tokens: 9, messages: [{ role: "user", content: "Hi" }] },
  ],
  (stream) => [
    `/v1beta/models/a:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
  ],
];

function sendAs(gateway: TestGateway, format: number, stream: boolean, init: RequestInit) {
  const [path, body] = FORMATS[format](stream);
  return gateway.send(path, { model: "a", ...body }, init);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function assertIdle(
  gateway: TestGateway,
  access: CountingAccess | undefined,
  ...servers: ModelServer[]
): Promise<void> {
  await gateway.app.drain();
  assert.equal(gateway.app.inFlight, 0);
  assert.deepEqual(gateway.pool.stats.map(({ inFlight }) => inFlight), servers.map(() => 0));
  assert.equal(pipelineOf(gateway.pool).waiting, 0);
  assert.equal(access?.open ?? 0, 0);
  for (const server of servers) await server.untilOpen(0);
}

/** The moments at which a client can leave: what the server does with its request. */
const MOMENTS: Record<string, (request: ModelRequest) => void> = {
  "before the headers": () => {},
  "before the first token": ({ response }) => {
    startStream(response);
    response.write(": processing\n\n");
  },
  "in the middle of the answer": ({ response }) => {
    startStream(response);
    response.write(chunk({ content: "Once" }));
  },
};

for (const [moment, handle] of Object.entries(MOMENTS)) {
  Deno.test(`A client that leaves ${moment} ends the provider's work, in every format`, async () => {
    for (const format of FORMATS.keys()) {
      for (const stream of [true, false]) {
        await using server = await startModelServer(handle);
        const access = new CountingAccess();
        await using gateway = gatewayOf(
          { endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] },
          { access },
        );
        const leave = new AbortController();
        const answering = sendAs(gateway, format, stream, { signal: leave.signal });
        await server.untilOpen(1);
        while (server.requests.length === 0) await sleep(1);
        if (stream && moment === "in the middle of the answer") {
          const reader = (await answering).body!.getReader();
          await reader.read();
          await reader.cancel();
        } else {
          leave.abort();
          assert.equal((await answering).status, 499);
        }
        await server.untilOpen(0);
        await assertIdle(gateway, access, server);
        const [facts] = gateway.facts;
        assert.equal(gateway.facts.length, 1);
        assert.equal(facts.outcome, "aborted");
      }
    }
  });
}

Deno.test("A client that leaves in the middle of a stream pays for the part that it got", async () => {
  await using server = await startModelServer(MOMENTS["in the middle of the answer"]);
  const access = new CountingAccess();
  await using gateway = gatewayOf({
    endpoints: [{
      name: "a",
      model: "m",
      baseUrl: server.baseUrl,
      prices: [],
    }],
  }, { access });
  const reader = (await gateway.chat("a", { stream: true })).body!.getReader();
  await reader.read();
  await reader.cancel();
  await assertIdle(gateway, access, server);
  assert.equal(access.charges.length, 1);
  assert.equal(access.charges[0].isLost, true);
  assert.ok(access.charges[0].usage!.completionTokens > 0);
  assert.ok(access.charges[0].usage!.promptTokens > 0);
});

Deno.test("A client that leaves while queued or between retries frees everything", async () => {
  let isBroken = false;
  await using server = await startModelServer((request) => {
    if (isBroken) refuse(request, 500, "broken");
  });
  const access = new CountingAccess();
  await using gateway = gatewayOf({
    retryDelay: 1000,
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, concurrencyLimit: 1 }],
  }, { access });
  const leave = new AbortController();
  const held = gateway.chat("a", {}, { signal: leave.signal });
  await server.untilOpen(1);
  const queued = gateway.chat("a", { stream: true }, { signal: leave.signal });
  while (pipelineOf(gateway.pool).waiting === 0) await sleep(1);
  leave.abort();
  await Promise.all([held, queued]);
  await server.untilOpen(0);
  assert.equal(access.open, 0);
  isBroken = true;
  const again = new AbortController();
  const retrying = gateway.chat("a", {}, { signal: again.signal });
  while (server.requests.length < 2) await sleep(1);
  await server.untilOpen(0);
  await sleep(10);
  again.abort();
  assert.equal((await retrying).status, 499);
  await assertIdle(gateway, access, server);
});

Deno.test("A slow reader holds the provider back, and leaving frees it", async () => {
  let written = 0;
  await using server = await startModelServer(({ response }) => {
    startStream(response);
    const text = chunk({ content: "x".repeat(10_000) });
    const write = () => {
      while (!response.destroyed && written < 100_000_000) {
        written += text.length;
        if (!response.write(text)) return void response.once("drain", write);
      }
      response.end(STREAM_END);
    };
    write();
  });
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }],
  });
  const leave = new AbortController();
  const response = await gateway.chat("a", { stream: true }, { signal: leave.signal });
  const reader = response.body!.getReader();
  await reader.read();
  let before = -1;
  while (written !== before) {
    before = written;
    await sleep(50);
  }
  assert.ok(written < 50_000_000, `the provider could write ${written} bytes`);
  leave.abort();
  await assertIdle(gateway, undefined, server);
});

Deno.test("Clients that leave at random moments leave nothing behind", async () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const pick = (count: number) => Math.floor(random() * count);
    const behave = async (request: ModelRequest) => {
      await sleep(pick(6));
      const { response, body } = request;
      switch (pick(6)) {
        case 0:
          return refuse(request, 500, "broken");
        case 1:
          return refuse(request, 429, "slow down", { "retry-after": "0.005" });
        case 2:
          return response.destroy();
        case 3:
          return answer(request, "Hi");
      }
      if (body.stream !== true) return;
      startStream(response);
      for (let i = pick(5); i >= 0; i--) {
        if (response.destroyed) return;
        response.write(chunk({ content: "word " }));
        await sleep(pick(4));
      }
      if (pick(2) === 0) response.end(STREAM_END);
      else response.destroy();
    };
    const handle = (request: ModelRequest) => void behave(request).catch(() => {});
    await using first = await startModelServer(handle);
    await using second = await startModelServer(handle);
    const access = new CountingAccess(seed % 2 === 1);
    access.delay = () => pick(3);
    const endpoint = (name: string, { baseUrl }: ModelServer) => ({
      name,
      model: "m",
      baseUrl,
      concurrencyLimit: 3,
    });
    await using gateway = gatewayOf(
      { endpoints: [endpoint("first", first), endpoint("b", second)], failureThreshold: 1000 },
      { access, maxQueue: 30, keepAlive: 0.004, routes: { a: ["first", "b"] } },
    );
    let sent = 0;
    const client = async () => {
      for (let i = 0; i < 12; i++) {
        await sleep(pick(5));
        const leave = new AbortController();
        const timer = setTimeout(() => leave.abort(), pick(25));
        sent++;
        const response = await sendAs(gateway, pick(4), pick(2) === 0, { signal: leave.signal });
        const reader = response.body?.getReader();
        try {
          for (let reads = pick(6); reads >= 0 && reader !== undefined; reads--) {
            if ((await reader.read()).done) break;
          }
        } catch {
          // The request was aborted.
        }
        if (pick(3) > 0) await reader?.cancel().catch(() => {});
        else leave.abort();
        clearTimeout(timer);
      }
    };
    await Promise.all(Array.from({ length: 12 }, client));
    await assertIdle(gateway, access, first, second);
    assert.equal(gateway.facts.length, sent, "facts are reported once for each call");
    assert.equal(new Set(gateway.facts.map(({ id }) => id)).size, sent);
  }
});
