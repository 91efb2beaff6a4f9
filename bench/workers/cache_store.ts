/**
 * Fills a store through the response cache, reopens it, and reads it in another order.
 *
 * Arguments: store, path, number of answers, characters per answer, concurrency. Prints a line of JSON.
 */
import process from "node:process";
import { assistantMessage } from "../../lib/chat/assistant_message.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import { cacheKey } from "../../lib/cache/key.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { openStore, type StoreName } from "../../lib/cache/open_store.ts";
import { ResponseCache } from "../../lib/cache/response_cache.ts";
import { runtimeName } from "../../lib/runtime/runtime.ts";

const [store, path, ...numbers] = process.argv.slice(2);
const [entries, characters, concurrency] = numbers.map(Number);
const baseUrl = "http://127.0.0.1/v1";

/** Text that compresses about as well as a model's answer. */
const WORDS =
  ("the a model answer of and to in is that for it with as on be at by this which river " +
    "mountain because therefore example water first second number value function return type list")
    .split(" ");
let random = 1;
function text(): string {
  let result = "";
  while (result.length < characters) {
    random = (random * 1103515245 + 12345) & 0x7fffffff;
    const word = WORDS[(random >> 8) % WORDS.length];
    result += random % 7 === 0 ? `${random.toString(36)} ` : `${word} `;
  }
  return result.slice(0, characters);
}

function answer(i: number): ChatResult {
  const content = `${i} ${text()}`;
  return {
    content,
    thinking: null,
    refusal: null,
    toolCalls: [],
    message: assistantMessage({ content, toolCalls: [] }),
    usage: { promptTokens: 25, completionTokens: 250, totalTokens: 275 },
    cost: 0.001,
    finishReason: "stop",
    model: "bench",
    endpoint: baseUrl,
    cached: false,
    latency: 1,
    raw: null,
  };
}

function request(i: number) {
  const messages = [{ role: "user", content: `Question ${i}: what is the answer?` }];
  const body = JSON.stringify({ model: "bench", messages });
  const key = cacheKey({ baseUrl, protocol: openaiChat, model: "bench", body });
  return { key, model: "bench", endpoint: baseUrl };
}

async function open() {
  return await openStore({ store: store as StoreName, path }, process.env);
}

function fail(message: string): never {
  throw new Error(message);
}

/** Runs `work` `entries` times with limited concurrency. Returns the microseconds per run. */
async function measure(work: (i: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < entries) await work(next++);
  }));
  return (performance.now() - start) * 1000 / entries;
}

const answers = Array.from({ length: entries }, (_, i) => answer(i));
const memory = store === "memory" ? await open() : undefined;
const openMemory = memory && (() => Promise.resolve(memory));
const writer = new ResponseCache({ open: openMemory ?? open, onWarning: fail });
const putStart = performance.now();
await measure((i) => writer.put(request(i), answers[i]));
if (memory === undefined) await writer.close();
const putMicroseconds = (performance.now() - putStart) * 1000 / entries;
answers.length = 0;

const openStart = performance.now();
const opened = memory ?? await open();
const openMs = performance.now() - openStart;
const stats = await opened.stats();
// Multiplying by a prime reads every entry once, in an order unlike that of any store.
const shuffled = (i: number) => i * 7919 % entries;
const storeHitMicroseconds = await measure(async (i) => {
  const [entry] = await opened.getMany([request(shuffled(i)).key]);
  if (entry === undefined) fail(`no entry ${shuffled(i)}`);
});
const reader = new ResponseCache({ open: () => Promise.resolve(opened), onWarning: fail });
const hitMicroseconds = await measure(async (i) => {
  const result = await reader.getOrFetch(
    [request(shuffled(i))],
    () => fail(`no answer ${shuffled(i)}`),
  );
  if (!result.content.startsWith(`${shuffled(i)} `)) fail("a wrong answer");
});
await reader.close();

const bytes = stats.fileBytes ?? stats.bytes;
process.stdout.write(`${
  JSON.stringify({
    runtime: runtimeName(),
    store,
    openMs,
    putMicroseconds,
    hitMicroseconds,
    storeHitMicroseconds,
    megabytesPer100000: bytes / 1e6 * 1e5 / entries,
  })
}\n`);
process.exit(0);
