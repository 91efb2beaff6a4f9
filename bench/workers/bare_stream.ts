/**
 * The baseline for streams: `fetch`, decoded to text, split at blank lines and parsed.
 *
 * Arguments: base URL, number of streams (read one after another), tokens per stream. Prints the median
 * time to the first token in seconds, and tokens per second.
 */
import process from "node:process";

const [baseUrl, streams, tokens] = process.argv.slice(2);
const url = `${baseUrl}/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer bench-key" };

/** Yields the text of one stream as it arrives. */
async function* texts(i: number): AsyncGenerator<string> {
  const messages = [{ role: "user", content: `Question ${i}: what is the answer?` }];
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = JSON.stringify({ model: "bench", messages, ...options, max_tokens: Number(tokens) });
  const response = await fetch(url, { method: "POST", headers, body });
  let partial = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (partial + piece).split("\n\n");
    partial = events.pop()!;
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      const text = JSON.parse(data).choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}

const firsts: number[] = [];
let received = 0;
const start = performance.now();
for (let i = 0; i < Number(streams); i++) {
  const sentAt = performance.now();
  let first: number | undefined;
  for await (const _ of texts(i)) {
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
