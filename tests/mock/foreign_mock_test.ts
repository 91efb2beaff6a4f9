/** The client against a third-party mock server, `@copilotkit/aimock`. */
import assert from "node:assert/strict";
import { LLMock } from "@copilotkit/aimock";
import type { Outcome } from "../../lib/batch/executor.ts";
import { JobExecutor } from "../../lib/batch/executors/jobs.ts";
import { openPartStore } from "../../lib/batch/jobs/open_part_store.ts";
import { jobClientOf } from "../../lib/client/job_client.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { type ClientOptions, LLMClient, type Message, type Tool } from "../../mod.ts";
import { records } from "../support/job_world.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const FORMATS: Record<string, { options: Partial<ClientOptions>; base: string }> = {
  chat: { options: { model: "gpt-4o" }, base: "/v1" },
  responses: { options: { model: "gpt-4o", api: "responses" }, base: "/v1" },
  claude: { options: { model: "claude-opus-5", provider: "claude" }, base: "/v1" },
  gemini: { options: { model: "gemini-3-flash", provider: "gemini" }, base: "/v1beta" },
};

const TOOL: Tool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: {} } },
};

function ask(content: string): Message[] {
  return [{ role: "user", content }];
}

for (const [format, { options, base }] of Object.entries(FORMATS)) {
  Deno.test(`aimock, ${format}: text, thinking, a tool loop and errors, plain and streamed`, async () => {
    const mock = new LLMock({ port: 0 });
    mock.on({ toolResultContains: "Sunny" }, { content: "It is sunny." });
    mock.onMessage("hello", { content: "Hi there!" });
    mock.onMessage("think", { content: "Done.", reasoning: "Let me see." });
    mock.onMessage("weather", {
      toolCalls: [{ name: "get_weather", arguments: '{"city":"Oslo"}' }],
    });
    mock.onMessage("fail", {
      error: { message: "Slow down", type: "rate_limit_error" },
      status: 429,
    });
    await mock.start();
    await using client = new LLMClient({
      ...options,
      baseUrl: `${mock.url}${base}`,
      apiKey: "mock",
      retryTimes: 0,
    });
    try {
      for (const streamed of [false, true]) {
        const send = (messages: Message[], tools?: Tool[]) =>
          streamed
            ? client.chatCompletionsStream(messages, { tools }).finalResult()
            : client.chatCompletions(messages, { tools });
        const hello = await send(ask("hello"));
        assert.deepEqual([hello.content, hello.finishReason], ["Hi there!", "stop"]);
        const thought = await send(ask("think"));
        assert.deepEqual([thought.content, thought.thinking], ["Done.", "Let me see."]);
        const weather = await send(ask("weather"), [TOOL]);
        assert.equal(weather.finishReason, "tool_calls");
        const [call] = weather.toolCalls;
        assert.deepEqual(JSON.parse(call.function.arguments), { city: "Oslo" });
        const result: Message = { role: "tool", tool_call_id: call.id, content: "Sunny" };
        const sunny = await send([...ask("weather"), weather.message, result], [TOOL]);
        assert.equal(sunny.content, "It is sunny.");
        await assert.rejects(send(ask("fail")), { code: "rate_limit", message: /Slow down/ });
      }
    } finally {
      // Not awaited: closing waits for idle connections, which stay open for 90 s.
      mock.stop();
    }
  });
}

/** Runs three records as provider jobs whose outcome a header selects. */
async function runJobs(mock: LLMock, api: "chat" | "responses", outcome: string) {
  using folder = temporaryFolder();
  await using client = new LLMClient({
    model: "gpt-4o",
    api,
    baseUrl: `${mock.url}/v1`,
    apiKey: "mock",
    headers: { "x-aimock-batch-outcome": outcome },
  });
  using store = await openPartStore(folder.file("out.jsonl"));
  const executor = new JobExecutor({
    client: jobClientOf(client),
    store,
    clock: systemClock,
    pollInterval: 0.01,
  });
  const outcomes: Outcome[] = [];
  for await (const group of executor.run(records(3))) outcomes.push(...group);
  const parts = store.parts.map(({ phase, job }) => `${phase}: ${job?.status}`);
  return { outcomes: outcomes.toSorted((a, b) => a.record.index - b.record.index), parts };
}

Deno.test("aimock: provider jobs that complete, fail, expire or are cancelled", async () => {
  const mock = new LLMock({ port: 0 });
  await mock.start();
  try {
    for (const api of ["chat", "responses"] as const) {
      const { outcomes, parts } = await runJobs(mock, api, "completed");
      assert.deepEqual(parts, ["collected: completed"]);
      assert.deepEqual(
        outcomes.map(({ record, ...outcome }) => [
          record.index,
          outcome.ok && outcome.result.content,
        ]),
        [0, 1, 2].map((index) => [index, "Mock batch completion"]),
      );
    }
    // Its failed jobs have a file of errors, and the others have nothing.
    const failed = await runJobs(mock, "chat", "failed");
    assert.deepEqual(failed.parts, ["collected: failed"]);
    for (const outcome of failed.outcomes) {
      assert.match(outcome.ok ? "" : String(outcome.error), /Mock batch failure/);
    }
    for (const status of ["expired", "cancelled"]) {
      const { outcomes, parts } = await runJobs(mock, "chat", status);
      assert.deepEqual(parts, Array(5).fill(`collected: ${status}`));
      assert.equal(outcomes.length, 3);
      for (const outcome of outcomes) {
        assert.match(
          outcome.ok ? "" : String(outcome.error),
          RegExp(`did not run this record .${status}`),
        );
      }
    }
  } finally {
    mock.stop();
  }
});
