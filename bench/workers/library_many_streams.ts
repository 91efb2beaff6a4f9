/**
 * Reads many streams at once with the library.
 *
 * Arguments: base URL, number of streams.
 */
import process from "node:process";
import { LLMClient } from "../../mod.ts";
import { openStreams } from "./open_streams.ts";

const [baseUrl, streams] = process.argv.slice(2);
const client = new LLMClient({
  baseUrl,
  apiKey: "bench-key",
  model: "bench",
  concurrencyLimit: Number(streams),
});

await openStreams(Number(streams), (i) => {
  const content = `Question ${i}: what is the answer?`;
  return client.chatCompletionsStream([{ role: "user", content }]);
});
