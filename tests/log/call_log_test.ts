/** The log of calls: which lines it has at which level, what they contain, and that no key is in them. */
import assert from "node:assert/strict";
import { CallLog, type Fetch, LLMClient, type LogLevel } from "../../mod.ts";
import type { AttemptFacts, CallContent, CallFacts } from "../../mod.ts";
import type { GatewayFacts } from "../../mod.ts";
import { accessRecord } from "../../lib/gateway/observe/access_record.ts";
import { callLine } from "../../lib/log/log_lines.ts";
import { gatewayFacts } from "../support/gateway_facts.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-verysecret123";

const SUCCESS: CallFacts = {
  id: "p-1",
  index: 7,
  at: 1_790_000_000_000,
  model: "m",
  endpoint: "http://h/v1",
  queued: 0.5,
  attempts: 1,
  duration: 2.1234567,
  usage: { promptTokens: 3, completionTokens: 4, totalTokens: 7, cachedTokens: 1 },
  cost: 0.25,
  cached: false,
  outcome: "success",
};
const CONTENT: CallContent = { messages: [], redact: (text) => text };

// deno-lint-ignore no-explicit-any
function linesOf(level: LogLevel, facts: CallFacts[], content = CONTENT, options = {}): any[] {
  const lines: string[] = [];
  const log = new CallLog({ level, write: (line) => lines.push(line), ...options });
  for (const each of facts) log.onCall(each, content);
  return jsonLines(lines.join("\n"));
}

Deno.test("each level adds calls: failed, retried or aborted, all", () => {
  const calls: CallFacts[] = [
    SUCCESS,
    { ...SUCCESS, attempts: 2 },
    { ...SUCCESS, outcome: "aborted" },
    { ...SUCCESS, outcome: "error", errorCode: "http", error: "bad" },
  ];
  const levels = (level: LogLevel) => linesOf(level, calls).map((line) => line.level);
  assert.deepEqual(levels("error"), ["error"]);
  assert.deepEqual(levels("warn"), ["warn", "warn", "error"]);
  assert.deepEqual(levels("info"), ["info", "warn", "warn", "error"]);
  assert.deepEqual(levels("debug"), levels("info"));
});

Deno.test("a line has the facts of its call, and absent ones are left out", () => {
  assert.deepEqual(linesOf("info", [SUCCESS]), [{
    time: "2026-09-21T14:13:20.000Z",
    level: "info",
    event: "call",
    id: "p-1",
    index: 7,
    model: "m",
    endpoint: "http://h/v1",
    outcome: "success",
    attempts: 1,
    promptTokens: 3,
    completionTokens: 4,
    cachedTokens: 1,
    cost: 0.25,
    duration: 2.123457,
    queued: 0.5,
  }]);
  const [line] = linesOf("info", [{ ...SUCCESS, cached: true, usage: null, cost: null }]);
  assert.deepEqual([line.cache, "cost" in line, "promptTokens" in line], ["hit", false, false]);
});

Deno.test("all fields but those of records have the names of the gateway's access log", () => {
  const names = Object.keys(callLine({ ...SUCCESS, firstToken: 1 }, "info"));
  const known = new Set([
    ...Object.keys(accessRecord(gatewayFacts() as GatewayFacts)),
    "level",
    "event",
    "index",
  ]);
  assert.deepEqual(names.filter((name) => !known.has(name)), []);
});

Deno.test("prompts and answers are logged only on request, truncated and without keys or data", () => {
  const messages = [{
    role: "user" as const,
    content: [
      { type: "text" as const, text: `${KEY} ${"long ".repeat(2000)}` },
      { type: "image_url" as const, image_url: { url: `data:image/png;base64,${"A".repeat(9)}` } },
    ],
  }];
  const result = {
    content: `Your key is ${KEY}`,
    toolCalls: [],
  } as unknown as CallContent["result"];
  const content = { messages, result, redact: (text: string) => text.replaceAll(KEY, "[gone]") };
  assert.equal("input" in linesOf("info", [SUCCESS], content)[0], false);
  const [{ input, output }] = linesOf("info", [SUCCESS], content, { content: true });
  assert.equal(output, "Your key is [gone]");
  assert.equal(input.length, 4000);
  assert.match(input, /^\[\{"role":"user","content":\[\{"type":"text","text":"\[gone\] long/);
  const short = { ...content, messages: [{ ...messages[0], content: [messages[0].content[1]] }] };
  assert.match(
    linesOf("info", [SUCCESS], short, { content: true })[0].input,
    /\(31 characters of data\)/,
  );
});

Deno.test("invalid options are refused", () => {
  const write = () => {};
  assert.throws(() => new CallLog({}), { code: "configuration" });
  assert.throws(() => new CallLog({ write, file: "x" }), { code: "configuration" });
  assert.throws(() => new CallLog({ write, level: "loud" as LogLevel }), { message: /^level:/ });
  assert.throws(() => new CallLog({ write, maxSize: 10 }), { message: /^maxSize:/ });
});

/** A server that repeats the key, first with an error. */
function chattyServer(): Fetch {
  let requests = 0;
  return (url) => {
    const headers = {
      // The default of Response.json differs between the runtimes.
      "content-type": "application/json",
      "x-request-id": "req_1",
      "set-cookie": `session=${KEY}`,
      "x-api-key": KEY,
      "retry-after-ms": "1",
    };
    const text = `the key ${KEY} called ${url}`;
    if (requests++ === 0) {
      return Promise.resolve(Response.json({ error: { message: text } }, { status: 500, headers }));
    }
    const message = { role: "assistant", content: text };
    const choices = [{ index: 0, finish_reason: "stop", message }];
    return Promise.resolve(Response.json({ model: "m", choices }, { headers }));
  };
}

Deno.test("a client logs calls and attempts to a file, without keys in URLs, headers or texts", async () => {
  using folder = temporaryFolder();
  {
    using log = new CallLog({ file: folder.file("log"), level: "debug", content: true });
    await using client = new LLMClient({
      baseUrl: `http://h/v1?key=${KEY}`,
      apiKey: KEY,
      model: "m",
      fetch: chattyServer(),
      retryDelay: 0,
      onCall: log.onCall,
      onAttempt: log.onAttempt,
    });
    await client.chatCompletions([{ role: "user", content: `is ${KEY} safe?` }]);
  }
  const text = folder.read("log");
  assert.doesNotMatch(text, new RegExp(KEY));
  const [first, second, call] = jsonLines(text);
  const { status, attempt, outcome, errorCode, headers } = first;
  assert.deepEqual([status, attempt, outcome, errorCode], [500, 1, "error", "http"]);
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "retry-after-ms": "1",
    "x-request-id": "req_1",
  });
  assert.deepEqual([second.status, second.attempt, second.outcome], [200, 2, "success"]);
  assert.deepEqual([call.event, call.level, call.attempts], ["call", "warn", 2]);
  assert.deepEqual([first.id, second.id], [call.id, call.id]);
  assert.match(call.output, /^the key \[key removed\] called/);
});

Deno.test("a batch logs the index of each record", async () => {
  const lines: string[] = [];
  const log = new CallLog({ write: (line) => lines.push(line) });
  await using client = new LLMClient({ provider: "mock", model: "mock", onCall: log.onCall });
  const inputs = ["a", "b", "c"].map((content) => [{ role: "user" as const, content }]);
  await client.chatCompletionsBatch(inputs);
  assert.deepEqual(jsonLines(lines.join("\n")).map(({ index }) => index).sort(), [0, 1, 2]);
});

Deno.test("a listener that throws breaks no call, and the others are still called", async () => {
  const attempts: AttemptFacts[] = [];
  await using client = new LLMClient({
    provider: "mock",
    model: "mock",
    onCall: () => {
      throw new Error("listener");
    },
    onAttempt: (facts) => {
      attempts.push(facts);
      throw new Error("listener");
    },
  });
  const { content } = await client.chatCompletions([{ role: "user", content: "Hello!" }]);
  assert.notEqual(content, "");
  assert.equal(attempts.length, 1);
});
