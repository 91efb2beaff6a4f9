/**
 * `deno task soak`: calls, streams and aborts against a server with random faults, for minutes. Afterwards no
 * request is in flight, no money is reserved, and memory is not larger than in the first minute.
 *
 * Options: --minutes N (default 10), --seed N (default 1), --concurrency N (default 64).
 */
import assert from "node:assert/strict";
import process from "node:process";
import { parseArgs } from "node:util";
import { CostTracker, FlexLLMError, LLMClientPool } from "../../mod.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { HostileServer } from "./hostile_server.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    concurrency: { type: "string", default: "64" },
  },
});

/** Maximum growth of memory after the first minute, in MB. */
const GROWTH = 60;
/**
 * Seconds of which the lowest memory counts, before the end of the first minute and of the soak: within seconds, Bun
 * takes and frees 100 MB.
 */
const WINDOW = 30;

const seed = Number(values.seed);
const random = seededRandom(seed);
const end = performance.now() + Number(values.minutes) * 60_000;
await using first = await HostileServer.start({ seed });
await using second = await HostileServer.start({ seed: seed + 1 });
using folder = temporaryFolder();
const costTracker = new CostTracker({ limit: 1e9 });
await using pool = new LLMClientPool({
  endpoints: [first, second].map(({ baseUrl }) => ({
    baseUrl,
    model: "m",
    concurrencyLimit: 32,
    prices: [{ model: "m", input: 1, output: 1 }],
  })),
  adaptive: true,
  costTracker,
  // On disk, so that cached answers don't look like a leak.
  cache: { store: "sqlite", path: folder.file("cache.sqlite") },
  retryDelay: 0.01,
  maxWait: 5,
});

const counts = { answered: 0, failed: 0, aborted: 0 };
let next = 0;

async function call(): Promise<void> {
  const controller = new AbortController();
  const chance = random();
  if (chance < 0.2) setTimeout(() => controller.abort(), random() * 15);
  // Some prompts repeat, to exercise the cache and the joining of identical calls.
  const messages = [{ role: "user", content: `Question ${Math.floor(next++ / 1.2)}` }] as const;
  const options = { maxTokens: 50, signal: controller.signal };
  try {
    if (chance < 0.6) await pool.chatCompletions(messages, options);
    else {for await (const _ of pool.chatCompletionsStream(messages, options)) {
        if (chance < 0.7) break;
      }}
    counts.answered++;
  } catch (error) {
    if (!(error instanceof FlexLLMError)) throw error;
    counts[error.code === "aborted" ? "aborted" : "failed"]++;
  }
}

async function work(): Promise<void> {
  while (performance.now() < end) await call();
}

/** Memory in MB, once a second. */
const memory: number[] = [];
const sampling = setInterval(() => {
  memory.push(Math.round(process.memoryUsage().rss / 1e6));
  // The records of the servers are not part of the client's memory.
  for (const server of [first, second]) {
    server.times.length = 0;
    server.paid.clear();
  }
  if (memory.length % 60 === 0) process.stdout.write(`${status()}\n`);
}, 1000);

/** The counts, and the lowest and highest memory of the last seconds. */
function status(): string {
  const last = memory.slice(-WINDOW);
  return `${JSON.stringify(counts)} ${Math.min(...last)} to ${Math.max(...last)} MB`;
}

await Promise.all(Array.from({ length: Number(values.concurrency) }, work));
clearInterval(sampling);

assert.deepEqual(pool.stats.map(({ inFlight }) => inFlight), [0, 0], "requests in flight");
assert.equal(costTracker.reserved, 0, "money reserved");
const growth = Math.min(...memory.slice(-WINDOW)) - Math.min(...memory.slice(60 - WINDOW, 60));
assert.ok(growth < GROWTH, `memory grew by ${growth} MB: ${memory.join(" ")}`);
process.stdout.write(`passed: ${status()}\n`);
folder[Symbol.dispose]();
process.exit(0);
