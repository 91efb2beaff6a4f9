/** Which messages and tool choices are accepted, and in which form they are sent. */
import assert from "node:assert/strict";
import { messagesProblem } from "../../lib/chat/messages.ts";
import { normalizeMessages, normalizeOptions } from "../../lib/chat/normalize.ts";
import { type ChatOptions, LLMClient, type Message, type Tool } from "../../mod.ts";
import { watchedMock } from "../support/watched_mock.ts";

// Inputs come from files and from JavaScript, so they may be anything.
// deno-lint-ignore no-explicit-any
type Anything = any;

const TOOL: Tool = { type: "function", function: { name: "f", parameters: { type: "object" } } };

Deno.test("an invalid part is reported with its path", () => {
  const cases: [part: unknown, problem: string][] = [
    ["text", `: expected an object with a "type", got "text"`],
    [{ text: "a" }, `: expected an object with a "type", got {"text":"a"}`],
    [{ type: "text" }, `.text: expected a string, got undefined`],
    [{ type: "image_url" }, `.image_url.url: expected a string, got undefined`],
    [{ type: "file" }, `.file: expected "file_data" or "file_id", got undefined`],
    [{ type: "file", file: {} }, `.file: expected "file_data" or "file_id", got {}`],
    [{ type: "file", file: { file_data: 1 } }, `.file.file_data: expected a string, got 1`],
    [{ type: "file", file: { file_id: null } }, `.file.file_id: expected a string, got null`],
    [
      { type: "file", file: { file_id: "a", filename: 1 } },
      `.file.filename: expected a string, got 1`,
    ],
    [{ type: "input_audio" }, `.input_audio.data: expected a string, got undefined`],
    [
      { type: "input_audio", input_audio: { data: "a", format: 1 } },
      `.input_audio.format: expected a string, got 1`,
    ],
    [{ type: "document" }, `.source: expected an object with a "type", got undefined`],
    [
      { type: "document", source: { type: "url" } },
      `.source.url: expected a string, got undefined`,
    ],
    [
      { type: "document", source: { type: "base64", data: 1 } },
      `.source.data: expected a string, got 1`,
    ],
  ];
  for (const role of ["user", "tool"]) {
    for (const [part, problem] of cases) {
      const message = { role, tool_call_id: "1", content: [{ type: "text", text: "a" }, part] };
      assert.equal(messagesProblem([message]), `messages[0].content[1]${problem}`);
    }
  }
  const good: unknown[] = [
    { type: "file", file: { file_id: "file-1" } },
    { type: "file", file: { file_data: "a.pdf", filename: "b.pdf" } },
    { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
    { type: "document", source: { type: "content", content: "a" } },
    // Unknown types are left to the encoders, whose errors name them.
    { type: "video_url", video_url: { url: "https://host/a.mp4" } },
  ];
  assert.equal(messagesProblem([{ role: "user", content: good }]), undefined);
});

Deno.test("tool calls without a name are reported with their path", () => {
  const problem = (tool_calls: unknown) =>
    messagesProblem([{ role: "assistant", content: null, tool_calls }]);
  assert.equal(problem("f"), `messages[0].tool_calls: expected an array, got "f"`);
  for (const call of [null, "f", {}, { function: {} }, { type: "function", function: "f" }]) {
    assert.match(problem([call])!, /^messages\[0\]\.tool_calls\[0\]: expected \{"id", /);
  }
  const good = { id: "1", type: "function", function: { name: "f", arguments: "{}" } };
  assert.match(problem([good, { name: 1 }])!, /^messages\[0\]\.tool_calls\[1\]/);
  assert.match(problem([{ ...good, id: 1 }])!, /\.tool_calls\[0\]\.id: expected a string, got 1/);
  for (const calls of [undefined, null, [], [good], [{ name: "f", arguments: {} }]]) {
    assert.equal(problem(calls), undefined);
  }
});

Deno.test("tool calls are normalized to OpenAI's form without modifying the caller's messages", () => {
  const given: Anything[] = [
    { role: "user", content: "a" },
    {
      role: "assistant",
      content: "b",
      tool_calls: [
        { name: "f", arguments: { x: 1 } },
        { id: "2", name: "g", arguments: '{"y":2}' },
        { function: { name: "h" } },
        { id: "4", type: "custom", custom: { name: "c", input: "free text" } },
        { id: "5", type: "builtin_function", function: { name: "$search", arguments: "{}" } },
        { name: "i", arguments: "{}", extra: true },
      ],
    },
    { role: "tool", tool_call_id: "first", content: "1" },
    { role: "tool", tool_call_id: "2", content: "2" },
    { role: "tool", tool_call_id: "third", content: "3" },
    { role: "assistant", content: "c", tool_calls: [] },
    { role: "assistant", content: "d", tool_calls: null },
  ];
  const before = structuredClone(given);
  const [, { tool_calls }, , , , ...last] = normalizeMessages(given) as Anything[];
  assert.deepEqual(tool_calls, [
    { id: "first", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    { id: "2", type: "function", function: { name: "g", arguments: '{"y":2}' } },
    { id: "third", type: "function", function: { name: "h", arguments: "{}" } },
    { id: "4", type: "custom", function: { name: "c", arguments: "free text" } },
    { id: "5", type: "builtin_function", function: { name: "$search", arguments: "{}" } },
    { extra: true, id: "call_1_5", type: "function", function: { name: "i", arguments: "{}" } },
  ]);
  assert.deepEqual(last, [
    { role: "assistant", content: "c" },
    { role: "assistant", content: "d" },
  ]);
  assert.deepEqual(given, before);
});

Deno.test("normal messages and options are not copied", () => {
  const call = {
    id: "1",
    type: "function" as const,
    function: { name: "f", arguments: "{}" },
  };
  const messages: Message[] = [
    { role: "user", content: "a" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "1", content: "b" },
  ];
  assert.equal(normalizeMessages(messages), messages);
  const options: ChatOptions = { tools: [TOOL], toolChoice: "auto" };
  assert.equal(normalizeOptions(options), options);
});

Deno.test("flat tool calls can be sent in every format, and an empty list of tools is dropped", async () => {
  const messages: Anything[] = [
    { role: "user", content: "a" },
    { role: "assistant", tool_calls: [{ name: "f", arguments: { x: 1 } }] },
    { role: "tool", tool_call_id: "t1", content: "b" },
  ];
  const formats: [Partial<ConstructorParameters<typeof LLMClient>[0]>, version: string][] = [
    [{ api: "chat" }, "v1"],
    [{ api: "responses" }, "v1"],
    [{ provider: "claude" }, "v1"],
    [{ provider: "gemini" }, "v1beta"],
  ];
  for (const [options, version] of formats) {
    await using mock = await watchedMock();
    const baseUrl = mock.baseUrl.replace("v1", version);
    await using client = new LLMClient({ model: "m", baseUrl, ...options });
    await client.chatCompletions(messages, { tools: [], toolChoice: "auto" });
    const [body] = mock.requests;
    assert.match(JSON.stringify(body), /"x\\?":1/);
    assert.deepEqual([body.tools, body.tool_choice, body.toolConfig], Array(3).fill(undefined));
  }
});

Deno.test("an unknown tool choice is rejected by name, a flat one is sent", async () => {
  await using mock = await watchedMock();
  for (const provider of ["auto", "claude", "gemini"] as const) {
    await using client = new LLMClient({ model: "m", baseUrl: mock.baseUrl, provider });
    for (const toolChoice of ["any", 1, {}, { type: "tool", name: "f" }, { type: "function" }]) {
      const options = { tools: [TOOL], toolChoice: toolChoice as Anything };
      const shown = JSON.stringify(toolChoice);
      await assert.rejects(client.chatCompletions([{ role: "user", content: "a" }], options), {
        code: "configuration",
        message: `toolChoice: expected "none", "auto", "required", {"type": "function", ` +
          `"function": {"name"}} or {"type": "allowed_tools", …}, got ${shown}`,
      });
    }
  }
  assert.equal(mock.requests.length, 0);
  await using client = new LLMClient({ model: "m", baseUrl: mock.baseUrl });
  const toolChoice = { type: "function", name: "f" } as Anything;
  await client.chatCompletions([{ role: "user", content: "a" }], { tools: [TOOL], toolChoice });
  assert.deepEqual(mock.requests[0].tool_choice, { type: "function", function: { name: "f" } });
});
