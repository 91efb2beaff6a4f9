/**
 * A process that uses a shared response cache: requests answers, most of which other processes have already
 * stored, and checks each. Prints its progress and, at the end, the result.
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { ResponseCache } from "../../lib/cache/response_cache.ts";
import type { StoreKind } from "../../lib/cache/store.ts";
import { surviveFileSizeLimit } from "../../lib/runtime/runtime.ts";
import { openKind } from "./cache_stores.ts";
import { chatResult } from "./chat_result.ts";

export interface WorkerReport {
  answers: number;
  hits: number;
  wrong: number;
  warnings: string[];
}

export interface WorkerOrder {
  store: StoreKind;
  path: string;
  /** The number of answers to request. */
  answers: number;
  /** The number of different requests. */
  keys: number;
  /** Characters of the largest answers. */
  characters: number;
}

/** A timeout in milliseconds that is generous enough for a shared store on a busy machine. */
const PATIENCE = 600_000;

/** An answer that names its request and its length. No two are the same. */
function makeAnswer(key: string, characters: number): string {
  // Random letters, because repetitive text would compress to almost nothing. Four of them hold three bytes.
  const text = randomBytes(Math.ceil(characters * 3 / 4)).toString("base64");
  return `${key} ${text.length} ${text}`;
}

function isAnswerTo(key: string, answer: string): boolean {
  const [itsKey, length, text] = answer.split(" ");
  return itsKey === key && Number(length) === text.length;
}

export async function runCacheWorker(order: WorkerOrder): Promise<void> {
  surviveFileSizeLimit();
  const report: WorkerReport = { answers: 0, hits: 0, wrong: 0, warnings: [] };
  const cache = new ResponseCache({
    open: () => openKind(order.store, order.path, PATIENCE),
    onWarning: (message) => report.warnings.push(message),
    timeout: PATIENCE,
  });
  while (report.answers < order.answers) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const key = `key-${Math.floor(Math.random() * order.keys)}`;
      const request = { key, model: "m", endpoint: "http://127.0.0.1/v1" };
      const isLarge = Math.random() < 0.1;
      const answer = () => chatResult(makeAnswer(key, isLarge ? order.characters : 500));
      // Some overwrite existing entries, so that there are always writes.
      if (Math.random() < 0.2) await cache.put(request, answer());
      const result = await cache.getOrFetch(
        [request],
        () => Promise.resolve({ result: answer(), request }),
      );
      report.answers++;
      if (result.cached) report.hits++;
      if (!isAnswerTo(key, result.content)) report.wrong++;
    }));
    process.stdout.write("going on\n");
    // Yield to the event loop, so that timers and the store can run.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await cache.close();
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
