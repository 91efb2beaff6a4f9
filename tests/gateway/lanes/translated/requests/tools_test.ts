/** Tools, choices, thinking and formats of answers in other APIs. */
import assert from "node:assert/strict";
import { ToolNames } from "../../../../../lib/gateway/lanes/translated/tool_names.ts";
import { targetOf } from "../../../../../lib/gateway/lanes/translated/target.ts";
import { asObject, asObjects, type Json } from "../../../../../lib/json/json.ts";
import { gemini } from "../../../../../lib/protocols/gemini/gemini.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import {
  callOf,
  endpointOf,
  ENDPOINTS,
  refusedField,
  translate,
} from "../../../../support/translated_request.ts";

const F = { type: "function", function: { name: "f", parameters: { type: "object" } } };
const G = { type: "function", function: { name: "g" } };
const HI = [{ role: "user", content: "Hi" }];
const CHAT_BODY = { model: "m", messages: HI };
const CLAUDE_BODY = { model: "m", max_tokens: 20_000, messages: HI };
const GEMINI_BODY = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };

Deno.test("each form of the tool choice reaches each API", () => {
  const choices: [unknown, unknown, unknown][] = [
    ["auto", { type: "auto" }, { mode: "AUTO" }],
    ["none", { type: "none" }, { mode: "NONE" }],
    ["required", { type: "any" }, { mode: "ANY" }],
    [{ type: "function", function: { name: "g" } }, { type: "tool", name: "g" }, {
      mode: "ANY",
      allowedFunctionNames: ["g"],
    }],
  ];
  for (const [tool_choice, claude, google] of choices) {
    const body = { ...CHAT_BODY, tools: [F, G], tool_choice };
    assert.deepEqual(translate(CHAT, body, ENDPOINTS.claude).body.tool_choice, claude);
    const { toolConfig } = translate(CHAT, body, ENDPOINTS.gemini).body;
    assert.deepEqual(asObject(toolConfig)?.functionCallingConfig, google);
  }
  const back: [unknown, unknown][] = [
    [{ type: "any" }, "required"],
    [{ type: "auto", disable_parallel_tool_use: true }, "auto"],
    [{ type: "tool", name: "g" }, { type: "function", function: { name: "g" } }],
  ];
  for (const [tool_choice, expected] of back) {
    const tools = [{ name: "f", input_schema: { type: "object" } }, {
      name: "g",
      input_schema: { type: "object" },
    }];
    const { body } = translate(CLAUDE, { ...CLAUDE_BODY, tools, tool_choice }, ENDPOINTS.openai);
    assert.deepEqual(body.tool_choice, expected);
  }
});

Deno.test("a list of allowed tools becomes the list of tools where there is no such choice", () => {
  const allowed = { mode: "required", tools: [{ type: "function", function: { name: "g" } }] };
  const body = {
    ...CHAT_BODY,
    tools: [F, G],
    tool_choice: { type: "allowed_tools", allowed_tools: allowed },
  };
  const { tools, tool_choice } = translate(CHAT, body, ENDPOINTS.claude).body;
  assert.deepEqual(asObjects(tools).map(({ name }) => name), ["g"]);
  assert.deepEqual(tool_choice, { type: "any" });
  const google = translate(CHAT, body, ENDPOINTS.gemini).body;
  assert.deepEqual(asObject(asObject(google.toolConfig)?.functionCallingConfig), {
    mode: "ANY",
    allowedFunctionNames: ["g"],
  });
});

Deno.test("the functions of old clients are tools", () => {
  const body = {
    ...CHAT_BODY,
    functions: [{ name: "f", parameters: { type: "object" } }],
    function_call: { name: "f" },
  };
  const { body: sent, dropped } = translate(CHAT, body, ENDPOINTS.claude);
  assert.deepEqual(asObjects(sent.tools).map(({ name }) => name), ["f"]);
  assert.deepEqual(sent.tool_choice, { type: "tool", name: "f" });
  assert.deepEqual(dropped, []);
});

Deno.test("names that an API does not accept are replaced, and come back", () => {
  const names = ["a.b", "a-b", "1st", "ü", "x".repeat(100), `${"x".repeat(100)}y`];
  const tools = names.map((name) => ({ name, input_schema: { type: "object" } }));
  const body = { ...CLAUDE_BODY, tools, tool_choice: { type: "tool", name: "ü" } };
  const sent = asObjects(translate(CLAUDE, body, ENDPOINTS.openai).body.tools)
    .map((tool) => String(asObject(tool.function)?.name));
  assert.equal(new Set(sent).size, names.length);
  assert.ok(sent.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)), sent.join());
  const decoded = callOf(CLAUDE, body).request.chat.options.tools!;
  for (const endpoint of [ENDPOINTS.openai, ENDPOINTS.gemini]) {
    const protocol = endpoint === ENDPOINTS.gemini ? gemini : CHAT.client;
    const table = new ToolNames(targetOf(endpoint, protocol, "m"), decoded);
    for (const name of names) assert.equal(table.clientName(table.sentName(name)), name);
  }
  assert.deepEqual(translate(CLAUDE, body, ENDPOINTS.openai).body.tool_choice, {
    type: "function",
    function: { name: sent[3] },
  });
});

Deno.test("custom tools are functions with one text where there are none, and can be forced", () => {
  const body = {
    model: "m",
    input: "Hi",
    tools: [{ type: "custom", name: "apply_patch", description: "Edits." }],
    tool_choice: { type: "custom", name: "apply_patch" },
  };
  const vllm = translate(RESPONSES, body, ENDPOINTS.vllm).body;
  const [{ function: fn }] = asObjects(vllm.tools);
  assert.deepEqual(asObject(asObject(fn)?.parameters)?.required, ["input"]);
  assert.deepEqual(vllm.tool_choice, { type: "function", function: { name: "apply_patch" } });
  const openai = translate(RESPONSES, body, ENDPOINTS.openai).body;
  assert.deepEqual(openai.tools, [{
    type: "custom",
    custom: { name: "apply_patch", description: "Edits." },
  }]);
  assert.deepEqual(openai.tool_choice, { type: "custom", custom: { name: "apply_patch" } });
});

Deno.test("schemas of arguments have the top level that OpenAI and Anthropic demand", () => {
  const parametersJsonSchema = {
    anyOf: [
      { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      { type: "object", properties: { b: { type: "string" } }, required: ["b"] },
    ],
  };
  const tools = [{ functionDeclarations: [{ name: "f", parametersJsonSchema }] }];
  const { body } = translate(GEMINI, { ...GEMINI_BODY, tools }, ENDPOINTS.claude);
  assert.deepEqual(asObjects(body.tools)[0].input_schema, {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "string" } },
  });
});

Deno.test("thinking is requested as the model knows it, and left out if it knows none", () => {
  const claude = (thinking: Json, fields: Json = {}): [Format, Json] => [
    CLAUDE,
    { ...CLAUDE_BODY, thinking, ...fields },
  ];
  const gpt4 = endpointOf({ provider: "openai", model: "gpt-4.1" });
  const old = endpointOf({ provider: "claude", model: "claude-sonnet-4-5" });
  const flash = endpointOf({ provider: "gemini", model: "gemini-2.5-flash" });
  const budget = { type: "enabled", budget_tokens: 10_000 };
  const cases: [[Format, Json], typeof gpt4, string, unknown, string[]][] = [
    [claude(budget), ENDPOINTS.openai, "reasoning_effort", "medium", []],
    [
      claude({ type: "enabled", budget_tokens: 31_999 }),
      ENDPOINTS.vllm,
      "reasoning_effort",
      "high",
      [],
    ],
    [claude({ type: "disabled" }), ENDPOINTS.openai, "reasoning_effort", "none", []],
    [claude(budget), gpt4, "reasoning_effort", undefined, ["thinking"]],
    [[CHAT, { ...CHAT_BODY, reasoning_effort: "high" }], flash, "generationConfig", {
      thinkingConfig: { includeThoughts: true, thinkingBudget: 24_576 },
    }, []],
    [[CHAT, { ...CHAT_BODY, reasoning_effort: "none" }], ENDPOINTS.gemini, "generationConfig", {
      thinkingConfig: { includeThoughts: true, thinkingLevel: "LOW" },
    }, ["reasoning_effort"]],
    [
      [CHAT, { ...CHAT_BODY, reasoning_effort: "high", max_tokens: 4096 }],
      old,
      "thinking",
      { type: "enabled", budget_tokens: 2048 },
      [],
    ],
    [
      [CHAT, { ...CHAT_BODY, reasoning_effort: "high", max_tokens: 100 }],
      old,
      "thinking",
      undefined,
      ["reasoning_effort"],
    ],
  ];
  for (const [[format, body], endpoint, field, expected, dropped] of cases) {
    const result = translate(format, body, endpoint);
    assert.deepEqual(result.body[field], expected, JSON.stringify(body));
    assert.deepEqual(result.dropped, dropped, JSON.stringify(body));
  }
});

Deno.test("limits of answers fit the model", () => {
  const limit = (endpoint: typeof ENDPOINTS.claude, max_tokens: number) => {
    const { body } = translate(CLAUDE, { ...CLAUDE_BODY, max_tokens }, endpoint);
    return body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens ??
      asObject(body.generationConfig)?.maxOutputTokens;
  };
  assert.equal(limit(endpointOf({ provider: "openai", model: "gpt-4o" }), 64_000), 16_384);
  assert.equal(limit(endpointOf({ provider: "gemini", model: "gemini-2.0-flash" }), 64_000), 8192);
  assert.equal(limit(ENDPOINTS.openai, 64_000), 64_000);
  assert.equal(limit(ENDPOINTS.vllm, 64_000), 64_000);
  assert.equal(limit(ENDPOINTS.responses, 1), 16);
  assert.equal(limit(ENDPOINTS.openai, 1), 1);
  const unlimited = translate(CHAT, CHAT_BODY, ENDPOINTS.claude).body;
  assert.equal(typeof unlimited.max_tokens, "number");
});

Deno.test("a format of the answer is requested in each API's spelling", () => {
  const open = { type: "object", properties: { n: { type: "integer", minimum: 0 } } };
  const json_schema = { name: "answer", schema: open };
  const chat = { ...CHAT_BODY, response_format: { type: "json_schema", json_schema } };
  const claude = translate(CHAT, chat, ENDPOINTS.claude);
  assert.deepEqual(asObject(claude.body.output_config)?.format, {
    type: "json_schema",
    schema: {
      type: "object",
      properties: { n: { type: "integer" } },
      additionalProperties: false,
    },
  });
  assert.deepEqual(claude.dropped, ["response_format.minimum"]);
  const strict = {
    type: "object",
    properties: { n: { type: "integer" } },
    required: ["n"],
    additionalProperties: false,
  };
  for (const schema of [open, strict]) {
    const config = { format: { type: "json_schema", schema } };
    for (const field of [{ output_config: config }, { output_format: config.format }]) {
      const { body } = translate(CLAUDE, { ...CLAUDE_BODY, ...field }, ENDPOINTS.openai);
      const sent = asObject(asObject(body.response_format)?.json_schema);
      assert.deepEqual(sent?.schema, schema);
      assert.equal(sent?.strict, schema === strict ? true : undefined);
    }
  }
  const anyJson = { ...CHAT_BODY, response_format: { type: "json_object" } };
  assert.match(
    JSON.stringify(translate(CHAT, anyJson, ENDPOINTS.claude).body.system),
    /JSON object/,
  );
  assert.deepEqual(translate(CHAT, anyJson, ENDPOINTS.gemini).body.generationConfig, {
    responseMimeType: "application/json",
  });
});

Deno.test("OpenAI's JSON mode needs a word that Gemini's clients don't say", () => {
  const body = { ...GEMINI_BODY, generationConfig: { responseMimeType: "application/json" } };
  for (const endpoint of [ENDPOINTS.openai, ENDPOINTS.responses]) {
    const text = JSON.stringify(translate(GEMINI, body, endpoint).body);
    assert.match(text, /"json_object"/);
    assert.match(text, /Answer with one JSON object/);
  }
});

Deno.test("arguments that are not JSON reach the model as it wrote them", () => {
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{oops" } };
  const messages = [
    ...HI,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c", content: "invalid JSON" },
  ];
  for (const endpoint of [ENDPOINTS.claude, ENDPOINTS.gemini]) {
    const text = JSON.stringify(translate(CHAT, { model: "m", messages }, endpoint).body);
    assert.match(text, /"INVALID_JSON":"\{oops"/);
  }
});

Deno.test("a request for parallel calls without any tool left is no error", () => {
  const body = {
    model: "m",
    input: "Hi",
    tools: [{ type: "web_search" }, { type: "image_generation" }],
    tool_choice: "auto",
    parallel_tool_calls: false,
  };
  for (const endpoint of [ENDPOINTS.vllm, ENDPOINTS.claude, ENDPOINTS.gemini]) {
    const { body: sent, dropped } = translate(RESPONSES, body, endpoint);
    assert.equal(sent.tools, undefined);
    assert.equal(sent.tool_choice, undefined);
    assert.ok(dropped.includes("tools[1].image_generation"));
  }
  const forced = { ...body, tool_choice: "required" };
  assert.equal(refusedField(RESPONSES, forced, ENDPOINTS.claude), "tool_choice");
});

Deno.test("prompts of continued conversations are cached at Anthropic, once", () => {
  const continued = {
    model: "m",
    messages: [...HI, { role: "assistant", content: "Hello." }, { role: "user", content: "Bye." }],
  };
  assert.deepEqual(translate(CHAT, continued, ENDPOINTS.claude).body.cache_control, {
    type: "ephemeral",
  });
  assert.equal(translate(CHAT, CHAT_BODY, ENDPOINTS.claude).body.cache_control, undefined);
  const compatible = endpointOf({
    provider: "claude",
    baseUrl: "https://h.example/v1",
    model: "x",
  });
  assert.equal(translate(CHAT, continued, compatible).body.cache_control, undefined);
});
