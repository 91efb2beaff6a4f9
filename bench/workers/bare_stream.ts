/**
 * Streams read with nothing but `fetch`: bytes to text, cut at blank lines, parsed.
 *
 * Arguments: base URL, streams (one after the other), tokens of each. Prints the median seconds to the
 * first token, and the tokens a second.
 */
import process from "node:process";

const [baseUrl, streams, tokens] = process.argv.slice(2);
const url = `${baseUrl}/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer bench-key" };

/** Gives the texts of one stream as they arrive. */
async function* texts(i: number): AsyncGenerator<string> {
  const messages = [{ role: "user", content: `Question ${i}: what is the answer?` }];
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = JSON.stringify({ model: "bench", messages, ...options, max_tokens: Number(tokens) });
  const response = await fetch(url, { method: "POST", headers, body });
  let held = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (held + piece).split("\n\n");
    held = events.pop()!;
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      const text = JSON.parse(data).choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}

const firsts: number[] = [];
let read = 0;
const begun = performance.now();
for (let i = 0; i < Number(streams); i++) {
  const asked = performance.now();
  let first: number | undefined;
  for await (const _ of texts(i)) {
    first ??= performance.now() - asked;
    read++;
  }
  firsts.push(first!);
}
const seconds = (performance.now() - begun) / 1000;
if (read !== Number(streams) * Number(tokens)) throw new Error(`${read} tokens`);
const median = firsts.toSorted((a, b) => a - b)[Math.floor(firsts.length / 2)] / 1000;
process.stdout.write(`${median} ${read / seconds}\n`);
process.exit(0);
