/**
 * Distributes requests over several servers. A server that fails gets no more requests until it has
 * recovered, and its requests are retried on the others, so callers don't notice.
 *
 *     deno run -A examples/pool_failover.ts             # two mock servers, one of them broken
 *     FLEXLLM_MODEL=qwen3 deno run -A examples/pool_failover.ts http://gpu1:8000/v1 http://gpu2:8000/v1
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { LLMClientPool, startMockServer } from "@flexllm/flexllm";

const baseUrls = process.argv.slice(2);
const mocks = baseUrls.length > 0 ? [] : [
  await startMockServer({ errorRate: 1 }),
  await startMockServer(),
];
baseUrls.push(...mocks.map(({ baseUrl }) => baseUrl));

const { FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } = process.env;
await using pool = new LLMClientPool({
  endpoints: baseUrls.map((baseUrl) => ({ baseUrl, apiKey, model, concurrencyLimit: 8 })),
  loadBalance: "least_busy",
});

const questions = Array.from({ length: 40 }, (_, i) => `What is ${i} times ${i + 1}?`);
const { results, summary } = await pool.chatCompletionsBatch(
  questions.map((content) => [{ role: "user", content }]),
);

const servers = new Map<string, number>();
for (const item of results) {
  if (item.status === "error") continue;
  const { endpoint } = item.result;
  servers.set(endpoint, (servers.get(endpoint) ?? 0) + 1);
}
for (const { endpoint, state, failures } of pool.stats) {
  const answers = servers.get(endpoint) ?? 0;
  console.log(
    `${endpoint}: ${state}, ${answers} answers, ${failures > 0 ? "some" : "no"} failures`,
  );
}
console.log(`${summary.succeeded} of ${questions.length} answered, ${summary.failed} failed`);
for (const mock of mocks) await mock.close();
