/**
 * A process that sends requests through the library as fast as the shared limits allow, until its stdin is closed
 * or its budget is used up. Prints a line when it starts to send, for each failure, and when it was held up.
 *
 * Argument: JSON with the fields of {@link SenderOrder}.
 */
import process from "node:process";
import { BudgetExceededError, CostTracker, LLMClient } from "../../../mod.ts";
import { watchStalls } from "./stalls.ts";

/** What a sender does. */
export interface SenderOrder {
  name: string;
  redis: string;
  baseUrl: string;
  /** Requests at once. */
  concurrency: number;
  maxQps?: number;
  maxTpm?: number;
  /** USD that all senders may spend together; a token costs a thousandth. */
  budget?: number;
  /** Milliseconds by which the time of day changes, a second after the start. */
  clockJump?: number;
}

const PRICE = [{ model: "m", input: 1000, output: 1000 }];

/** Changes the time of day of this process. */
function jump(ms: number): void {
  const { now } = Date;
  Date.now = () => now() + ms;
  const Real = Date;
  // deno-lint-ignore no-global-assign
  Date = new Proxy(Real, {
    construct: (_, args) =>
      args.length === 0 ? new Real(now() + ms) : Reflect.construct(Real, args),
  });
}

async function run(order: SenderOrder): Promise<void> {
  const { name, redis, baseUrl, concurrency, maxQps, maxTpm, budget, clockJump } = order;
  const costTracker = budget === undefined ? undefined : new CostTracker({ limit: budget });
  const client = new LLMClient({
    model: "m",
    baseUrl,
    apiKey: "key",
    concurrencyLimit: concurrency,
    maxQps,
    maxTpm,
    costTracker,
    prices: PRICE,
    redis: { url: redis, budget: budget === undefined ? undefined : "torture" },
  });
  watchStalls((stall) => process.stdout.write(`stall ${stall.join(" ")}\n`));
  if (clockJump !== undefined) setTimeout(() => jump(clockJump), 1000);
  let isStopped = false;
  process.stdin.on("end", () => isStopped = true).resume();
  let number = 0;
  const send = async () => {
    while (!isStopped) {
      const content = `${name}, number ${number++}`;
      try {
        const { content: answer } = await client.chatCompletions(
          [{ role: "user", content }],
          { maxTokens: 20, extraBody: { user: name } },
        );
        if (answer !== `The answer to ${content}`) process.stdout.write(`wrong ${answer}\n`);
        if (number <= concurrency) process.stdout.write("started\n");
      } catch (error) {
        process.stdout.write(`failed ${error}\n`);
        if (error instanceof BudgetExceededError) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, send));
  await client.close();
  process.stdout.write("ended\n");
  process.exit(0);
}

if (import.meta.main) await run(JSON.parse(process.argv[2]));
