/** Types that the public API infers. The assertions hold at compile time: `deno check` fails otherwise. */
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import assert from "node:assert/strict";
import {
  type BatchItem,
  type BatchIterator,
  type BatchResult,
  type ChatClient,
  type ChatOptions,
  type ChatResult,
  type CompletionStream,
  type LLMClient,
  LLMClientPool,
  type Message,
  type Parsed,
  type ProviderBatch,
  type ResponseFormat,
} from "../../mod.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function expectType<Assertion extends true>(): Assertion | undefined {
  return undefined;
}

const MESSAGES: Message[] = [{ role: "user", content: "Hello" }];
const ZOD = z.object({ stars: z.int(), at: z.string().transform((text) => new Date(text)) });
const ARK = type({ stars: "number.integer" });
const VALIBOT = toStandardJsonSchema(v.object({ stars: v.number() }));
type ZodOutput = { stars: number; at: Date };

/** Never called: its types are the test. */
async function calls(client: LLMClient) {
  const zod = await client.chatCompletions(MESSAGES, { responseFormat: ZOD });
  expectType<Equal<typeof zod, ChatResult<ZodOutput>>>();
  expectType<Equal<typeof zod.parsed, ZodOutput | undefined>>();

  const ark = await client.chatCompletions(MESSAGES, { responseFormat: ARK });
  expectType<Equal<typeof ark.parsed, { stars: number } | undefined>>();

  const valibot = await client.chatCompletions(MESSAGES, { responseFormat: VALIBOT });
  expectType<Equal<typeof valibot.parsed, { stars: number } | undefined>>();

  const text = await client.chatCompletions(MESSAGES);
  expectType<Equal<typeof text, ChatResult<unknown>>>();
  const sampled = await client.chatCompletions(MESSAGES, { temperature: 0 });
  expectType<Equal<typeof sampled, ChatResult<unknown>>>();

  const json = await client.chatCompletions(MESSAGES, {
    responseFormat: { type: "json_schema", json_schema: { name: "s", schema: {} } },
  });
  expectType<Equal<typeof json.parsed, unknown>>();

  const stream = client.chatCompletionsStream(MESSAGES, { responseFormat: ZOD });
  expectType<Equal<typeof stream, CompletionStream<ZodOutput>>>();
  const streamed = await stream.finalResult();
  expectType<Equal<typeof streamed.parsed, ZodOutput | undefined>>();

  const batch = await client.chatCompletionsBatch([MESSAGES], { responseFormat: ARK });
  expectType<Equal<typeof batch, BatchResult<{ stars: number }>>>();
  const [item] = batch.results;
  if (item.status === "success") {
    expectType<Equal<typeof item.result.parsed, { stars: number } | undefined>>();
  }

  const iterator = client.iterChatCompletionsBatch([MESSAGES], { responseFormat: ZOD });
  expectType<Equal<typeof iterator, BatchIterator<ZodOutput>>>();
  for await (const item of iterator) expectType<Equal<typeof item, BatchItem<ZodOutput>>>();

  const submitted = await client.submitBatch([MESSAGES], { output: "a", responseFormat: ZOD });
  expectType<Equal<typeof submitted, ProviderBatch<ZodOutput>>>();
  const opened = await client.openBatch("a", { responseFormat: ARK, limits: { rows: 10 } });
  for await (const item of opened.results()) {
    expectType<Equal<typeof item, BatchItem<{ stars: number }>>>();
  }
  const plain = await client.openBatch("a");
  expectType<Equal<typeof plain, ProviderBatch<unknown>>>();
  await client.chatCompletionsBatch([MESSAGES], { via: "provider", jobs: { deadline: 60 } });
  // @ts-expect-error: a provider batch needs a result file
  await client.submitBatch([MESSAGES], { model: "m" });
  // @ts-expect-error: there are two ways to send
  await client.chatCompletionsBatch([MESSAGES], { via: "batch" });

  // Readonly messages, tools and stop texts are accepted.
  const tools = [{ type: "function", function: { name: "f", parameters: ZOD } }] as const;
  const messages = [{ role: "user", content: "Hello" }] as const;
  await client.chatCompletions(messages, { tools, stop: ["a"] as const });

  // @ts-expect-error: a format has a type
  await client.chatCompletions(MESSAGES, { responseFormat: { type: "yaml" } });
  // @ts-expect-error: hooks are internal
  await client.chatCompletions(MESSAGES, {}, {});
}

/** A wrapper that keeps the type of the schema. Never called. */
function wrapper<Format extends ResponseFormat | typeof ZOD>(
  client: ChatClient,
  options: ChatOptions<Format>,
): Promise<ChatResult<Parsed<Format>>> {
  return client.chatCompletions(MESSAGES, options);
}

const options: ChatOptions<typeof ZOD> = { responseFormat: ZOD, onRetry: ({ wait }) => wait };
const format: ChatOptions["responseFormat"] = { type: "json_object" };

Deno.test("results have the type of their schema", () => {
  assert.equal(typeof calls, "function");
  assert.equal(typeof wrapper, "function");
  assert.equal(options.responseFormat, ZOD);
  assert.deepEqual(format, { type: "json_object" });
});

Deno.test("a pool is a client", async () => {
  const pool: LLMClient = new LLMClientPool({ endpoints: [{ provider: "mock", model: "mock" }] });
  await pool.close();
});
