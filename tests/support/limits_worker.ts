/**
 * A process that sends requests as fast as shared limits allow, until its budget is used up or it is killed. Prints
 * `ready` once it shares the limits, and at the end how many requests were answered.
 */
import process from "node:process";
import { BudgetExceededError, CostTracker, LLMClient } from "../../mod.ts";

export interface LimitsOrder {
  redis: string;
  baseUrl: string;
  concurrencyLimit: number;
  maxQps?: number;
  maxInFlight?: number;
  /** A budget in USD, shared by its name. */
  budget?: { name: string; limit: number };
  /** Maximum seconds. */
  seconds: number;
}

export async function runLimitsWorker(order: LimitsOrder): Promise<void> {
  const { redis, budget, baseUrl, concurrencyLimit, maxQps, maxInFlight, seconds } = order;
  const client = new LLMClient({
    baseUrl,
    model: "m",
    concurrencyLimit,
    maxQps,
    maxInFlight,
    retryTimes: 0,
    redis: {
      url: redis,
      budget: budget?.name,
      onWarning: (text) => void process.stderr.write(`${text}\n`),
    },
    costTracker: budget && new CostTracker({ limit: budget.limit }),
    // USD per million tokens: a token costs 0.001.
    prices: [{ model: "m", input: 1000, output: 1000 }],
  });
  await client.connect();
  process.stdout.write("ready\n");
  const end = performance.now() + seconds * 1000;
  let answers = 0;
  let isOver = false;
  await Promise.all(Array.from({ length: concurrencyLimit }, async () => {
    while (!isOver && performance.now() < end) {
      try {
        await client.chatCompletions([{ role: "user", content: "Hello!" }], { maxTokens: 20 });
        answers++;
      } catch (error) {
        if (!(error instanceof BudgetExceededError)) throw error;
        isOver = true;
      }
    }
  }));
  await client.close();
  process.stdout.write(`${answers}\n`, () => process.exit(0));
}
