/**
 * The mock accepts what the real APIs accept and rejects what they reject.
 *
 * Sources: the request types of `openai` 7.57, `@anthropic-ai/sdk` 1.12 and `@google/genai` 3.1, and the
 * vendors' API references; error messages as users report them.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createMockApp } from "../../mod.ts";

type Body = Record<string, unknown>;
type Case = [what: string, fields: Body, says?: RegExp | string];

interface Format {
  path: string;
  base: Body;
  headers?: Record<string, string>;
  accepted: Case[];
  rejected: Case[];
}

const user = (content: unknown) => ({ role: "user", content });
const HI = [user("Hi")];
const SCHEMA = { type: "object", properties: { a: { type: "string" } } };
const CALL = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
const FUNCTION = { type: "function", function: { name: "f", parameters: SCHEMA } };
const CUSTOM = { type: "custom", custom: { name: "c" } };
const PDF = "data:application/pdf;base64,JVBERi0=";

const chat: Format = {
  path: "/v1/chat/completions",
  base: { model: "m", messages: HI },
  accepted: [
    ["custom tools", { tools: [CUSTOM], tool_choice: { type: "custom", custom: { name: "c" } } }],
    ["allowed tools", {
      tools: [FUNCTION, CUSTOM],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
      },
    }],
    ["json_schema without a schema", {
      response_format: { type: "json_schema", json_schema: { name: "x" } },
    }],
    ["every effort", { reasoning_effort: "xhigh" }],
    ["the highest effort", { reasoning_effort: "max", model: "gpt-6-sol" }],
    ["server tools along with functions", { tools: [FUNCTION, { type: "web_search" }] }],
    ["a PDF and a sound", {
      messages: [user([
        { type: "text", text: "Read and listen." },
        { type: "file", file: { file_data: PDF, filename: "a.pdf" } },
        { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      ])],
    }],
    ["calls with their results", {
      messages: [
        user("Hi"),
        { role: "assistant", content: null, tool_calls: [CALL, { ...CALL, id: "c2" }] },
        { role: "tool", tool_call_id: "c2", content: "2" },
        { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "1" }] },
      ],
    }],
    ["a function message", {
      messages: [...HI, { role: "function", name: "f", content: "1" }],
    }],
    ["fields of a compatible server", { top_k: 5, enable_thinking: true, guided_regex: "a+" }],
    ["null for what is left out", {
      temperature: null,
      stop: null,
      tools: null,
      stream_options: null,
      max_tokens: null,
    }],
    ["a long list of OpenAI's fields", {
      model: "gpt-5.5",
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { "50256": -100 },
      service_tier: "flex",
      verbosity: "low",
      metadata: { a: "b" },
      prompt_cache_key: "k",
      safety_identifier: "s",
      store: true,
    }],
  ],
  rejected: [
    ["no messages", { messages: undefined }, "messages"],
    ["empty messages", { messages: [] }, "messages"],
    ["no model", { model: undefined }, "model"],
    ["an unknown role", { messages: [{ role: "robot", content: "Hi" }] }, "messages[0].role"],
    ["a message without content", { messages: [{ role: "user" }] }, "messages[0].content"],
    ["null as a user's content", { messages: [user(null)] }, "messages.[0].content"],
    ["an empty list of parts", { messages: [user([])] }, "messages[0].content"],
    [
      "an unknown part",
      { messages: [user([{ type: "hologram" }])] },
      "messages[0].content[0].type",
    ],
    ["a part without its text", { messages: [user([{ type: "text" }])] }],
    ["an image without a URL", { messages: [user([{ type: "image_url", image_url: {} }])] }],
    ["a file without data", { messages: [user([{ type: "file", file: {} }])] }],
    ["sound in a strange format", {
      messages: [user([{ type: "input_audio", input_audio: { data: "", format: "mod" } }])],
    }],
    ["a tool message without an id", {
      messages: [...HI, { role: "assistant", tool_calls: [CALL] }, { role: "tool", content: "1" }],
    }, "messages[2].tool_call_id"],
    ["a tool message that answers no call", {
      messages: [...HI, { role: "tool", tool_call_id: "c1", content: "1" }],
    }, "messages.[1].role"],
    ["a tool message with another id", {
      messages: [
        ...HI,
        { role: "assistant", tool_calls: [CALL] },
        { role: "tool", tool_call_id: "c9", content: "1" },
      ],
    }, "messages.[2].tool_call_id"],
    ["a call without its result", {
      messages: [...HI, { role: "assistant", tool_calls: [CALL] }, user("And?")],
    }, /must be followed by tool messages/],
    ["arguments that are an object", {
      messages: [...HI, {
        role: "assistant",
        tool_calls: [{ ...CALL, function: { name: "f", arguments: {} } }],
      }],
    }, "messages[1].tool_calls[0].function.arguments"],
    ["no tool calls in a list", { messages: [...HI, { role: "assistant", tool_calls: [] }] }],
    ["temperature 3", { temperature: 3 }, /decimal above maximum value. Expected a value <= 2/],
    ["a negative temperature", { temperature: -1 }, "temperature"],
    ["temperature as text", { temperature: "1" }, "temperature"],
    ["top_p 2", { top_p: 2 }, "top_p"],
    ["a penalty of 3", { presence_penalty: 3 }, "presence_penalty"],
    ["negative max_tokens", { max_tokens: -1 }, /integer below minimum value/],
    ["no tokens", { max_completion_tokens: 0 }, "max_completion_tokens"],
    ["half a token", { max_tokens: 1.5 }, "max_tokens"],
    ["two limits of tokens", { max_tokens: 5, max_completion_tokens: 5 }, "max_tokens"],
    ["n 0", { n: 0 }, "n"],
    ["five stop sequences", { stop: ["a", "b", "c", "d", "e"] }, "stop"],
    ["no stop sequence in a list", { stop: [] }, "stop"],
    ["top_logprobs without logprobs", { top_logprobs: 2 }, "top_logprobs"],
    ["too many top_logprobs", { logprobs: true, top_logprobs: 21 }, "top_logprobs"],
    ["an unknown effort", { reasoning_effort: "extreme" }, "reasoning_effort"],
    ["a tool choice without tools", { tool_choice: "required" }, "tool_choice"],
    ["an unknown tool choice", { tools: [FUNCTION], tool_choice: "maybe" }, "tool_choice"],
    ["a choice of a tool that is not there", {
      tools: [FUNCTION],
      tool_choice: { type: "function", function: { name: "g" } },
    }, "tool_choice"],
    ["parallel calls without tools", { parallel_tool_calls: true }, "parallel_tool_calls"],
    ["a tool without a type", { tools: [{ function: { name: "f" } }] }, "tools[0].type"],
    ["a tool without a name", { tools: [{ type: "function", function: {} }] }],
    ["a tool with a space in its name", {
      tools: [{ type: "function", function: { name: "a b" } }],
    }, "tools[0].function.name"],
    ["arguments that are no object", {
      tools: [{ type: "function", function: { name: "f", parameters: { type: "string" } } }],
    }, "tools[0].function.parameters"],
    ["an unknown format", { response_format: { type: "xml" } }, "response_format.type"],
    ["a schema without a name", {
      response_format: { type: "json_schema", json_schema: { schema: SCHEMA } },
    }, "response_format.json_schema.name"],
    ["OpenAI: JSON that is not spoken of", {
      model: "gpt-5.5",
      response_format: { type: "json_object" },
    }, "messages"],
    ["stream options without a stream", { stream_options: { include_usage: true } }],
    ["a stream that is not yes or no", { stream: "yes" }, "stream"],
    ["OpenAI: a misspelled field", { model: "gpt-5.5", temprature: 1 }, /supplied: temprature/],
    ["OpenAI: a loose strict schema", {
      model: "gpt-5.5",
      response_format: {
        type: "json_schema",
        json_schema: { name: "x", strict: true, schema: SCHEMA },
      },
    }, /'additionalProperties' is required/],
  ],
};

const item = (type: string, fields: Body) => ({ type, ...fields });
const responses: Format = {
  path: "/v1/responses",
  base: { model: "gpt-6-sol", input: "Hi" },
  accepted: [
    ["a prompt without input and model", {
      model: undefined,
      input: undefined,
      prompt: { id: "p" },
    }],
    ["a continued conversation", { input: undefined, previous_response_id: "resp_1" }],
    ["server tools along with functions", {
      tools: [
        { type: "function", name: "f", parameters: SCHEMA, strict: false },
        { type: "web_search" },
        { type: "code_interpreter", container: { type: "auto" } },
        { type: "mcp", server_label: "s", server_url: "https://host" },
        { type: "custom", name: "c" },
      ],
      tool_choice: {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "f" }],
      },
    }],
    ["every effort", { reasoning: { effort: "max", summary: "auto" } }],
    ["a PDF", {
      input: [user([
        { type: "input_text", text: "Read." },
        { type: "input_file", file_data: PDF, filename: "a.pdf" },
      ])],
    }],
    ["calls with their outputs", {
      input: [
        user("Hi"),
        item("reasoning", { id: "rs", summary: [], encrypted_content: "x" }),
        item("function_call", { call_id: "c1", name: "f", arguments: "{}" }),
        item("function_call_output", { call_id: "c1", output: "1" }),
        item("custom_tool_call", { call_id: "c2", name: "c", input: "x" }),
        item("custom_tool_call_output", { call_id: "c2", output: "2" }),
      ],
    }],
    ["an output of a call that the server keeps", {
      previous_response_id: "resp_1",
      input: [item("function_call_output", { call_id: "c1", output: "1" })],
    }],
  ],
  rejected: [
    ["no input at all", { input: undefined }, "input"],
    ["no model", { model: undefined }, "model"],
    ["messages", { messages: HI }, /has moved to 'input'/],
    ["max_tokens", { max_tokens: 5 }, "max_tokens"],
    ["an unknown field", { stop: ["a"] }, /Unknown parameter: 'stop'/],
    ["an unknown role", { input: [{ role: "robot", content: "Hi" }] }, "input[0].role"],
    ["an unknown item", { input: [{ type: "song" }] }, "input[0].type"],
    ["a part of the other API", {
      input: [user([{ type: "text", text: "Hi" }])],
    }, "input[0].content[0].type"],
    ["an output without its call", {
      input: [...HI, item("function_call_output", { call_id: "c1", output: "1" })],
    }, /No tool call found for function call output with call_id c1/],
    ["a call without its output", {
      input: [...HI, item("function_call", { call_id: "c1", name: "f", arguments: "{}" })],
    }, /No tool output found for function call c1/],
    ["temperature 3", { temperature: 3 }, "temperature"],
    ["negative max_output_tokens", { max_output_tokens: -1 }, "max_output_tokens"],
    ["a nested function", { tools: [FUNCTION] }, "tools[0].name"],
    ["a tool of no kind", { tools: [{ type: "hammer" }] }, "tools[0].type"],
    ["a required tool without tools", { tool_choice: "required" }, "tool_choice"],
    ["an unknown effort", { reasoning: { effort: "extreme" } }, "reasoning.effort"],
    ["a schema without a name", {
      text: { format: { type: "json_schema", schema: SCHEMA } },
    }, "text.format.name"],
    [
      "two conversations",
      { previous_response_id: "r", conversation: "c" },
      /only providing one of/,
    ],
  ],
};

const TOOL = { name: "f", input_schema: SCHEMA };
const USE = { type: "tool_use", id: "t1", name: "f", input: {} };
const RESULT = { type: "tool_result", tool_use_id: "t1", content: "1" };
const anthropic: Format = {
  path: "/v1/messages",
  base: { model: "claude-opus-5", max_tokens: 2000, messages: HI },
  headers: { "anthropic-version": "2023-06-01" },
  accepted: [
    ["toolsets without a name", {
      tools: [{ type: "computer_toolset_20260801" }, { type: "browser_toolset_20260801" }],
    }],
    ["server tools along with functions", {
      tools: [TOOL, { type: "web_search_20260318", name: "web_search", max_uses: 2 }],
    }],
    ["adaptive thinking with a forced tool", {
      thinking: { type: "adaptive", display: "omitted" },
      tools: [TOOL],
      tool_choice: { type: "any" },
    }],
    ["every effort", { output_config: { effort: "xhigh" } }],
    ["the highest effort", { output_config: { effort: "max" } }],
    ["a PDF with citations", {
      messages: [user([
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
          citations: { enabled: true },
          cache_control: { type: "ephemeral", ttl: "1h" },
        },
        { type: "text", text: "Read." },
      ])],
    }],
    ["calls with their results", {
      messages: [
        user("Hi"),
        { role: "assistant", content: [{ type: "text", text: "Wait." }, USE] },
        user([RESULT]),
        user("And?"),
      ],
    }],
    ["sampling by the old version", { temperature: 1, top_k: 5 }],
    ["writing the cache only", { max_tokens: 0 }],
    ["a beginning of the answer", { messages: [...HI, { role: "assistant", content: "{" }] }],
  ],
  rejected: [
    ["no max_tokens", { max_tokens: undefined }, /max_tokens: Field required/],
    ["negative max_tokens", { max_tokens: -1 }, /max_tokens: Input should be greater than/],
    ["no messages", { messages: [] }, /at least one message is required/],
    ["an unknown role", { messages: [{ role: "tool", content: "x" }] }, /messages\.0\.role/],
    ["empty content", { messages: [user("")] }, /must have non-empty content/],
    ["an empty block", { messages: [user([{ type: "text", text: "" }])] }, /must be non-empty/],
    ["a part of another API", {
      messages: [user([{ type: "image_url", image_url: { url: "https://host/a.png" } }])],
    }, /Input tag 'image_url'/],
    ["an image of a strange type", {
      messages: [user([{
        type: "image",
        source: { type: "base64", media_type: "image/bmp", data: "" },
      }])],
    }, /media_type/],
    ["temperature 2", { temperature: 2 }, /temperature/],
    ["top_p 2", { top_p: 2 }, /top_p/],
    ["an empty stop sequence", { stop_sequences: [" "] }, /non-whitespace/],
    ["a tool without a schema", { tools: [{ name: "f" }] }, /tools\.0\.custom\.input_schema/],
    ["a tool in OpenAI's form", { tools: [FUNCTION] }, /Input tag 'function'/],
    ["a tool with a space in its name", { tools: [{ ...TOOL, name: "a b" }] }, /pattern/],
    ["two tools of one name", { tools: [TOOL, TOOL] }, /must be unique/],
    ["a choice without tools", { tool_choice: { type: "any" } }, /while providing tools/],
    ["a choice of a tool that is not there", {
      tools: [TOOL],
      tool_choice: { type: "tool", name: "g" },
    }, /not found/],
    ["a choice in OpenAI's form", { tools: [TOOL], tool_choice: "auto" }, /tool_choice/],
    ["a forced tool with thinking", {
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [TOOL],
      tool_choice: { type: "any" },
    }, /Thinking may not be enabled/],
    ["a small budget", { thinking: { type: "enabled", budget_tokens: 10 } }, /budget_tokens/],
    ["a budget above the limit", {
      thinking: { type: "enabled", budget_tokens: 4000 },
    }, /must be greater than/],
    ["thinking of no kind", { thinking: { type: "hard" } }, /thinking\.type/],
    ["an unknown effort", { output_config: { effort: "extreme" } }, /output_config\.effort/],
    ["a result without its call", { messages: [user([RESULT])] }, /unexpected `tool_use_id`/],
    ["a call without its result", {
      messages: [...HI, { role: "assistant", content: [USE] }, user("And?")],
    }, /without `tool_result` blocks/],
    ["a call with text as its input", {
      messages: [...HI, { role: "assistant", content: [{ ...USE, input: "{}" }] }, user([RESULT])],
    }, /valid dictionary/],
    ["thinking without its signature", {
      messages: [...HI, { role: "assistant", content: [{ type: "thinking", thinking: "Hm" }] }],
    }, /signature/],
    ["a misspelled field", { max_token: 5 }, /max_token: Extra inputs are not permitted/],
    ["five marks for the cache", {
      messages: [user(
        Array.from({ length: 5 }, () => ({
          type: "text",
          text: "x",
          cache_control: { type: "ephemeral" },
        })),
      )],
    }, /maximum of 4 blocks/],
  ],
};

const part = (fields: Body) => [{ role: "user", parts: [fields] }];
const DECLARED = [{ functionDeclarations: [{ name: "f", parametersJsonSchema: SCHEMA }] }];
const called = { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] };
const gemini: Format = {
  path: "/v1beta/models/gemini-3-flash:generateContent",
  base: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
  accepted: [
    ["the role of a function", {
      contents: [
        ...part({ text: "Hi" }),
        called,
        { role: "function", parts: [{ functionResponse: { name: "f", response: {} } }] },
      ],
    }],
    ["contents as an object", { contents: { parts: { text: "Hi" } } }],
    ["names with underscores", {
      system_instruction: { parts: [{ text: "Be kind." }] },
      generation_config: { max_output_tokens: 5, thinking_config: { thinking_level: "low" } },
    }],
    ["server tools along with functions", {
      tools: [...DECLARED, { googleSearch: {} }, { urlContext: {} }, { codeExecution: {} }],
    }],
    ["a PDF and a sound", {
      contents: [{
        role: "user",
        parts: [
          { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
          { inlineData: { mimeType: "audio/wav", data: "UklGRg==" } },
        ],
      }],
    }],
    ["every level", { generationConfig: { thinkingConfig: { thinkingLevel: "XHIGH" } } }],
    ["schemas, candidates, log probabilities", {
      generationConfig: {
        responseMimeType: "application/json",
        responseSchema: { type: "OBJECT" },
        candidateCount: 2,
        responseLogprobs: true,
        logprobs: 2,
      },
    }],
  ],
  rejected: [
    ["no contents", { contents: undefined }, /contents is not specified/],
    ["empty contents", { contents: [] }, /contents is not specified/],
    ["an unknown role", {
      contents: [{ role: "assistant", parts: [{ text: "Hi" }] }],
    }, /valid role/],
    ["no parts", { contents: [{ role: "user", parts: [] }] }, /must not be empty/],
    ["an empty part", { contents: part({}) }, /oneof field 'data'/],
    ["an unknown part", { contents: part({ image: "x" }) }, /Unknown name "image"/],
    ["data that is not base64", {
      contents: part({ inlineData: { mimeType: "image/png", data: "???" } }),
    }, /Base64 decoding failed/],
    ["a result without its call", {
      contents: part({ functionResponse: { name: "f", response: {} } }),
    }, /number of function response parts/],
    ["a result that is text", {
      contents: [
        ...part({ text: "Hi" }),
        called,
        ...part({
          functionResponse: { name: "f", response: "1" },
        }),
      ],
    }, /function_response.response/],
    ["temperature 3", { generationConfig: { temperature: 3 } }, /range \[0, 2\]/],
    ["topP 2", { generationConfig: { topP: 2 } }, /top_p/],
    ["negative maxOutputTokens", { generationConfig: { maxOutputTokens: -1 } }],
    ["no candidates", { generationConfig: { candidateCount: 0 } }, /candidate_count/],
    ["six stop sequences", { generationConfig: { stopSequences: [..."abcdef"] } }],
    ["a level and a budget", {
      generationConfig: { thinkingConfig: { thinkingLevel: "LOW", thinkingBudget: 5 } },
    }, /only one of thinking budget and thinking level/],
    ["an unknown level", { generationConfig: { thinkingConfig: { thinkingLevel: "EXTREME" } } }],
    ["an unknown type of answer", {
      generationConfig: { responseMimeType: "text/html" },
    }, /allowed mimetypes/],
    ["a schema of a text", { generationConfig: { responseJsonSchema: SCHEMA } }],
    ["log probabilities that are not wanted", { generationConfig: { logprobs: 2 } }],
    ["an unknown field", { messages: HI }, /Unknown name "messages": Cannot find field/],
    ["an unknown setting", { generationConfig: { maxTokens: 5 } }, /at 'generation_config'/],
    ["an unknown mode", {
      tools: DECLARED,
      toolConfig: { functionCallingConfig: { mode: "MAYBE" } },
    }, /mode/],
    ["a forced function without functions", {
      toolConfig: { functionCallingConfig: { mode: "ANY" } },
    }, /without function_declarations/],
    ["an allowed function that is not there", {
      tools: DECLARED,
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["g"] } },
    }],
    ["two functions of one name", { tools: [...DECLARED, ...DECLARED] }, /Duplicate function/],
    ["a function with a space in its name", {
      tools: [{ functionDeclarations: [{ name: "a b" }] }],
    }, /Invalid function name/],
  ],
};

type App = ReturnType<typeof createMockApp>;

async function post(app: App, { path, base, headers }: Format, fields: Body) {
  const body = JSON.stringify({ ...base, ...fields });
  const init = { method: "POST", body, headers };
  const response = await app.fetch(new Request(`http://mock${path}`, init));
  return { status: response.status, body: await response.json() };
}

for (const [name, format] of Object.entries({ chat, responses, anthropic, gemini })) {
  Deno.test(`${name}: the mock accepts what the API accepts`, async () => {
    const app = createMockApp();
    for (const [what, fields] of format.accepted) {
      const { status, body } = await post(app, format, fields);
      assert.equal(status, 200, `${what}: ${JSON.stringify(body)}`);
    }
  });

  Deno.test(`${name}: the mock rejects what the API rejects, with its messages`, async () => {
    const app = createMockApp();
    for (const [what, fields, says] of format.rejected) {
      const { status, body } = await post(app, format, fields);
      assert.equal(status, 400, `${what}: ${JSON.stringify(body)}`);
      const { error } = body;
      if (format === gemini) assert.equal(error.status, "INVALID_ARGUMENT");
      else assert.equal(error.type, "invalid_request_error");
      if (typeof says === "string") assert.equal(error.param, says, what);
      else assert.match(error.message, says ?? /./, what);
    }
  });

  Deno.test(`${name}: a lenient mock accepts everything`, async () => {
    const app = createMockApp({ lenient: true });
    for (const [what, fields] of [...format.accepted, ...format.rejected]) {
      const { status, body } = await post(app, format, fields);
      assert.equal(status, 200, `${what}: ${JSON.stringify(body)}`);
    }
  });
}

Deno.test("OpenAI's error codes name the kind of mistake", async () => {
  const app = createMockApp();
  const codes: [Body, string | null][] = [
    [{ messages: undefined }, "missing_required_parameter"],
    [{ messages: [] }, "empty_array"],
    [{ temperature: 3 }, "decimal_above_max_value"],
    [{ temperature: "hot" }, "invalid_type"],
    [{ max_tokens: 0 }, "integer_below_min_value"],
    [{ reasoning_effort: "extreme" }, "invalid_value"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "array_above_max_length"],
    [{ tool_choice: "auto" }, null],
  ];
  for (const [fields, code] of codes) {
    assert.equal((await post(app, chat, fields)).body.error.code, code);
  }
});

Deno.test("anthropic: version 2026-10-21 rejects removed fields", async () => {
  const app = createMockApp();
  const newest = { ...anthropic, headers: { "anthropic-version": "2026-10-21" } };
  const document = { type: "document", source: { type: "text", data: "x" } };
  const cited = { type: "text", text: "x", citations: [{ type: "char_location" }] };
  for (
    const fields of [
      { temperature: 1 },
      { top_p: 1 },
      { top_k: 1 },
      { messages: [...HI, { role: "assistant", content: [document] }] },
      { messages: [user([cited])] },
    ]
  ) {
    assert.equal((await post(app, newest, fields)).status, 400, JSON.stringify(fields));
    assert.equal((await post(app, anthropic, fields)).status, 200, JSON.stringify(fields));
  }
});

/** A body in which one value, at any depth, is replaced. */
function mutated(value: unknown, path: number[], by: unknown): unknown {
  if (path.length === 0 || typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[path[0] % keys.length];
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const fields = copy as Record<string, unknown>;
  fields[key] = mutated(fields[key], path.slice(1), by);
  return copy;
}

Deno.test("the mock answers or rejects every mutated body, strict and lenient", async () => {
  const cases = Object.values({ chat, responses, anthropic, gemini }).flatMap((format) =>
    [...format.accepted, ...format.rejected].map(([, fields]) => ({ format, fields }))
  );
  const apps = [createMockApp(), createMockApp({ lenient: true })];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...cases),
      fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, "", -1, [], {}, [null])),
      fc.boolean(),
      async ({ format, fields }, path, by, stream) => {
        const body = mutated({ ...format.base, ...fields, stream }, path, by) as Body;
        for (const app of apps) {
          const init = { method: "POST", body: JSON.stringify(body), headers: format.headers };
          const response = await app.fetch(new Request(`http://mock${format.path}`, init));
          const text = await response.text();
          assert.ok(response.status === 200 || response.status === 400, text);
        }
      },
    ),
    { seed: 14, numRuns: 1500 },
  );
});
