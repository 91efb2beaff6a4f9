/**
 * The baseline: `fetch` in a loop with limited concurrency. Answers are parsed and discarded.
 *
 * Arguments: base URL, requests, concurrency. Prints the duration in seconds.
 */
import process from "node:process";

const [baseUrl, requests, concurrency] = process.argv.slice(2);
const url = `${baseUrl}/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer bench-key" };
let next = 0;

async function worker(): Promise<void> {
  while (next < Number(requests)) {
    const messages = [{ role: "user", content: `Question ${next++}: what is the answer?` }];
    const body = JSON.stringify({ model: "bench", messages });
    const response = await fetch(url, { method: "POST", headers, body });
    const answer = await response.json();
    if (answer.choices[0].finish_reason !== "stop") throw new Error("not an answer");
  }
}

const start = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
process.stdout.write(`${(performance.now() - start) / 1000}\n`);
process.exit(0);
