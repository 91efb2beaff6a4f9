/**
 * A process that uses a response cache: asks for answers, most of which others have stored already, and
 * checks each. Prints a line after every few answers, and at the end what came of it.
 */
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
  /** How many answers to ask for. */
  answers: number;
  /** How many different requests there are. */
  keys: number;
  /** Characters of the largest answers. */
  characters: number;
}

/** Milliseconds in which a store answers although many processes share it and the machine is busy. */
const PATIENCE = 600_000;

/** An answer that says what it is the answer to, and how long it is; no two are the same. */
function makeAnswer(key: string, characters: number): string {
  // Random letters, since all else would be deflated to nothing.
  let text = "";
  while (text.length < characters) text += Math.random().toString(36).slice(2);
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
    patience: PATIENCE,
  });
  while (report.answers < order.answers) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const key = `key-${Math.floor(Math.random() * order.keys)}`;
      const request = { key, model: "m", endpoint: "http://127.0.0.1/v1" };
      const isLarge = Math.random() < 0.1;
      const answer = () => chatResult(makeAnswer(key, isLarge ? order.characters : 500));
      // Some write what is there already, so that there is always something to write.
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
    // A turn of the event loop, in which timers and answers of the store get theirs.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await cache.close();
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
