/**
 * Sends the same questions through a client several times, and measures each pass.
 *
 * Arguments: base URL, questions, concurrency, passes, options of the client as JSON. Prints the seconds and the CPU
 * time in ms of each pass as JSON. Other questions come first, until the runtime has compiled the code.
 */
import process from "node:process";
import { type ClientOptions, LLMClient, type Message } from "../../../mod.ts";

/** The figures of one pass. */
export interface Pass {
  seconds: number;
  /** CPU time in ms. */
  cpu: number;
}

const [baseUrl, questions, concurrency, passes, options] = process.argv.slice(2);
/** The share of the questions that is sent before the first pass. */
const WARMUP = 0.5;

function* ask(count: number, topic: string): Generator<Message[]> {
  for (let i = 0; i < count; i++) {
    yield [{ role: "user", content: `Question ${i} about ${topic}: what is the answer?` }];
  }
}

const client = new LLMClient({
  baseUrl,
  apiKey: "bench-key",
  model: "bench",
  concurrencyLimit: Number(concurrency),
  ...JSON.parse(options) as Partial<ClientOptions>,
});

async function send(count: number, topic: string): Promise<Pass> {
  const start = performance.now();
  const before = process.cpuUsage();
  for await (const item of client.iterChatCompletionsBatch(ask(count, topic))) {
    if (item.status !== "success") throw item.error;
  }
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1000 };
}

await send(Number(questions) * WARMUP, "nothing");
const figures: Pass[] = [];
for (let pass = 0; pass < Number(passes); pass++) {
  figures.push(await send(Number(questions), "rivers"));
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
await client.close();
process.exit(0);
