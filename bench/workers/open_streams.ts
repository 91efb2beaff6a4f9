/**
 * Opens many streams over a few seconds, reads them all, and measures how late their tokens arrive.
 */
import process from "node:process";

/** Milliseconds over which the streams are opened. */
const RAMP_MS = 5000;
/** Milliseconds between measurements of the memory. */
const SAMPLE_MS = 200;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Opens streams and prints, as JSON, their delays and memory: `median`, `late` (99.9 %) and `longest` in milliseconds
 * from sending to reading a token, `memory` in bytes per stream, and `tokens`.
 *
 * @param open opens a stream, and yields the texts of its tokens: the times at which they were sent
 */
export async function openStreams(
  count: number,
  open: (index: number) => AsyncIterable<string>,
): Promise<void> {
  /** The number of tokens by their delay in milliseconds. */
  const delays = new Uint32Array(60_000);
  const startMemory = process.memoryUsage().rss;
  let memory = 0;
  const timer = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage().rss - startMemory);
  }, SAMPLE_MS);
  const read = async (index: number) => {
    await pause(index / count * RAMP_MS);
    for await (const text of open(index)) {
      delays[Math.min(Math.max(Date.now() - Number(text), 0), delays.length - 1)]++;
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => read(i)));
  clearInterval(timer);
  const tokens = delays.reduce((sum, n) => sum + n, 0);
  const quantile = (share: number) => {
    let left = tokens * share;
    return delays.findIndex((n) => (left -= n) <= 0);
  };
  const result = {
    median: quantile(0.5),
    late: quantile(0.999),
    longest: delays.findLastIndex((n) => n > 0),
    memory: memory / count,
    tokens,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}
