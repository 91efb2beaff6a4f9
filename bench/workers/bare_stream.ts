/**
 * The baseline for streams: `fetch`, decoded to text, split at blank lines and parsed.
 *
 * Arguments: base URL, number of streams (read one after another), tokens per stream. Prints the median
 * time to the first token in seconds, and tokens per second.
 */
import process from "node:process";
import { streamTexts } from "./stream_texts.ts";

const [baseUrl, streams, tokens] = process.argv.slice(2);

const firsts: number[] = [];
let received = 0;
const start = performance.now();
for (let i = 0; i < Number(streams); i++) {
  const sentAt = performance.now();
  let first: number | undefined;
  for await (const _ of streamTexts(baseUrl, i, Number(tokens))) {
    first ??= performance.now() - sentAt;
    received++;
  }
  firsts.push(first!);
}
const seconds = (performance.now() - start) / 1000;
if (received !== Number(streams) * Number(tokens)) throw new Error(`received ${received} tokens`);
const median = firsts.toSorted((a, b) => a - b)[Math.floor(firsts.length / 2)] / 1000;
process.stdout.write(`${median} ${received / seconds}\n`);
process.exit(0);
