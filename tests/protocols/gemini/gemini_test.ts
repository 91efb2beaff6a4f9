/** Wire format: Gemini API reference, "generateContent", "streamGenerateContent", "Thinking". */
import assert from "node:assert/strict";
import type {
  FunctionTool,
  Message,
  ProviderMessage,
  SamplingOptions,
  Tool,
  ToolCall,
} from "../../../mod.ts";
import { decodeResponse } from "../../../lib/protocols/decode_response.ts";
import { gemini } from "../../../lib/protocols/gemini/gemini.ts";

function encode(options: SamplingOptions = {}, model = "gemini-3-flash", messages?: Message[]) {
  const encoder = gemini.encoder({ baseUrl: "https://host/v1beta", apiKey: "key", headers: {} });
  const { url, headers, body } = encoder({
    model,
    messages: messages ?? [{ role: "user", content: "hi" }],
    options,
    stream: false,
  });
  return { url, headers, body: JSON.parse(body!) };
}

Deno.test("gemini encodes a conversation with images, tools and their results", () => {
  const options: SamplingOptions = {
    temperature: 0.5,
    maxTokens: 50,
    stop: "END",
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
    toolChoice: { type: "function", function: { name: "f" } },
    responseFormat: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } },
  };
  const { url, headers, body } = encode(options, "models/gemini-3-flash", [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    },
    { role: "tool", tool_call_id: "a", content: "one" },
  ]);
  assert.equal(url, "https://host/v1beta/models/gemini-3-flash:generateContent");
  assert.equal(headers["x-goog-api-key"], "key");
  assert.deepEqual(body, {
    systemInstruction: { parts: [{ text: "Be brief." }] },
    contents: [
      {
        role: "user",
        parts: [{ text: "What is this?" }, { inlineData: { mimeType: "image/png", data: "QUJD" } }],
      },
      {
        role: "model",
        parts: [{
          functionCall: { id: "a", name: "f", args: { x: 1 } },
          thoughtSignature: "skip_thought_signature_validator",
        }],
      },
      {
        role: "user",
        parts: [{ functionResponse: { id: "a", name: "f", response: { output: "one" } } }],
      },
    ],
    tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object" } }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
    generationConfig: {
      maxOutputTokens: 50,
      temperature: 0.5,
      stopSequences: ["END"],
      responseMimeType: "application/json",
      responseJsonSchema: { type: "object" },
    },
  });
});

Deno.test("gemini receives the thinking option in the form that each generation accepts", () => {
  const cases: [model: string, thinking: SamplingOptions["thinking"], expected: unknown][] = [
    ["gemini-2.5-flash", true, { includeThoughts: true, thinkingBudget: -1 }],
    ["gemini-2.5-flash", false, { thinkingBudget: 0 }],
    ["gemini-2.5-pro", 2000, { includeThoughts: true, thinkingBudget: 2000 }],
    ["gemini-3-flash", "minimal", { includeThoughts: true, thinkingLevel: "MINIMAL" }],
    ["gemini-3-pro", "high", { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["gemini-2.5-pro", "max", { includeThoughts: true, thinkingBudget: 32_768 }],
    ["gemini-2.5-flash", "xhigh", { includeThoughts: true, thinkingBudget: 24_576 }],
    // Documented as accepted for compatibility.
    ["gemini-3-flash", 1000, { includeThoughts: true, thinkingBudget: 1000 }],
    ["gemini-4-argon", true, { includeThoughts: true }],
    ["gemini-4-hydrogen", "xhigh", { includeThoughts: true, thinkingLevel: "XHIGH" }],
    // Unsupported levels become the nearest supported one.
    ["gemini-4-hydrogen", "max", { includeThoughts: true, thinkingLevel: "XHIGH" }],
    ["gemini-3-flash", "xhigh", { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["gemini-3-pro", "minimal", { includeThoughts: true, thinkingLevel: "LOW" }],
    ["gemini-3.8-flash", "minimal", { includeThoughts: true, thinkingLevel: "LOW" }],
    ["tunedModels/mine", false, { thinkingBudget: 0 }],
    ["gemini-2.0-flash", false, undefined],
  ];
  for (const [model, thinking, expected] of cases) {
    const { generationConfig } = encode({ thinking }, model).body;
    assert.deepEqual(generationConfig?.thinkingConfig, expected, model);
  }
});

Deno.test("gemini rejects what a model does not support, before anything is sent", () => {
  const cases: [SamplingOptions, string, RegExp][] = [
    [{ thinking: false }, "gemini-2.5-pro", /thinking: false/],
    [{ thinking: false }, "gemini-3-flash", /thinking: false/],
    [{ thinking: 1000 }, "gemini-4-argon", /thinking as a number/],
    [{ thinking: true }, "gemini-2.0-flash", /does not accept the option thinking/],
    [{ temperature: 1 }, "gemini-4-argon", /temperature/],
    [{ parallelToolCalls: false }, "gemini-3-flash", /parallelToolCalls/],
    [{ toolChoice: "auto" }, "gemini-3-flash", /toolChoice is set, but there are no tools/],
    [{ parallelToolCalls: true }, "gemini-3-flash", /parallelToolCalls is set, but there are no/],
    [{ tools: [], toolChoice: "none" }, "gemini-3-flash", /there are no tools/],
    [{ tools: [{ googleSearch: {} }], toolChoice: "required" }, "gemini-3-flash", /toolChoice/],
    [{ tools: [{ type: "web_search" }] }, "gemini-3-flash", /tools of type "web_search"/],
    [
      { extraBody: { generationConfig: { candidateCount: 2 } } },
      "gemini-3-flash",
      /candidateCount/,
    ],
  ];
  for (const [options, model, pattern] of cases) {
    assert.throws(() => encode(options, model), pattern);
  }
  const lost: Message[] = [{ role: "tool", tool_call_id: "nobody", content: "x" }];
  assert.throws(() => encode({}, "gemini-3-flash", lost), { code: "invalid_input" });
});

Deno.test("gemini rejects what it cannot express, instead of dropping or moving it", () => {
  const cache_control = { type: "ephemeral" as const };
  const user: Message = { role: "user", content: "Hi" };
  const cases: [Message[], RegExp][] = [
    [
      [user, { role: "assistant", content: "Hello" }, { role: "system", content: "S" }, user],
      /\[2\]/,
    ],
    [[{ role: "user", content: [{ type: "text", text: "x", cache_control }] }], /cache_control/],
    [[{ ...user, cache_control } as Message], /cache_control/],
  ];
  for (const [messages, message] of cases) {
    const refused = { code: "invalid_input", message };
    assert.throws(() => encode({}, "gemini-3-flash", messages), refused);
  }
  const tools = [{ type: "function", function: { name: "f" }, cache_control }] as const;
  const refused = { code: "invalid_input", message: /cache_control/ };
  assert.throws(() => encode({ tools: [...tools] }, "gemini-3-flash", [user]), refused);
});

const PARTS = [
  { text: "Hm.", thought: true },
  { text: "Let me look." },
  { functionCall: { name: "f", args: { x: 1 } }, thoughtSignature: "sig" },
  { functionCall: { id: "g1", name: "g", args: {} } },
];
const USAGE = {
  promptTokenCount: 10,
  cachedContentTokenCount: 4,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  totalTokenCount: 18,
};
const DECODED = {
  usage: {
    promptTokens: 10,
    completionTokens: 8,
    totalTokens: 18,
    cachedTokens: 4,
    reasoningTokens: 3,
  },
  toolCalls: [
    { id: "call_0", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    { id: "g1", type: "function", function: { name: "g", arguments: "{}" } },
  ],
};

Deno.test("gemini decodes thoughts, text, parallel calls, and sends their parts back unchanged", () => {
  const decoded = gemini.decode({
    modelVersion: "gemini-3-flash",
    candidates: [{ content: { role: "model", parts: PARTS }, finishReason: "STOP" }],
    usageMetadata: USAGE,
  });
  assert.deepEqual(decoded, {
    content: "Let me look.",
    thinking: "Hm.",
    refusal: null,
    ...DECODED,
    finishReason: "tool_calls",
    model: "gemini-3-flash",
    providerMessage: { format: "gemini", content: PARTS },
  });
  const { body } = encode({}, "gemini-3-flash", [
    { role: "user", content: "hi" },
    {
      role: "assistant",
      content: null,
      tool_calls: decoded.toolCalls,
      providerMessage: decoded.providerMessage,
    },
    { role: "tool", tool_call_id: "call_0", content: "one" },
    { role: "tool", tool_call_id: "g1", content: "two" },
  ]);
  assert.deepEqual(body.contents[1], { role: "model", parts: PARTS });
  // Ids that we generated are not sent to Google.
  assert.deepEqual(body.contents[2].parts, [
    { functionResponse: { name: "f", response: { output: "one" } } },
    { functionResponse: { id: "g1", name: "g", response: { output: "two" } } },
  ]);
});

const TOOL: FunctionTool = { type: "function", function: { name: "f" } };
const STRICT: FunctionTool = { type: "function", function: { name: "g", strict: true } };

Deno.test("gemini receives toolChoice, allowed tools and strict as modes", () => {
  const modeOf = (options: SamplingOptions) => encode(options).body.toolConfig;
  const cases: [SamplingOptions, object | undefined][] = [
    [{ tools: [TOOL] }, undefined],
    [{ tools: [TOOL], parallelToolCalls: true }, undefined],
    [{ tools: [TOOL], toolChoice: "auto" }, { mode: "AUTO" }],
    [{ tools: [TOOL], toolChoice: "none" }, { mode: "NONE" }],
    [{ tools: [TOOL], toolChoice: "required" }, { mode: "ANY" }],
    [{ tools: [TOOL, STRICT] }, { mode: "VALIDATED" }],
    [{ tools: [STRICT], toolChoice: "auto" }, { mode: "VALIDATED" }],
    [{ tools: [STRICT], toolChoice: "required" }, { mode: "ANY" }],
  ];
  for (const [options, expected] of cases) {
    const config = expected && { functionCallingConfig: expected };
    assert.deepEqual(modeOf(options), config, JSON.stringify(options));
  }
  const allowed = (mode: "auto" | "required"): SamplingOptions => ({
    tools: [TOOL, STRICT],
    toolChoice: {
      type: "allowed_tools",
      allowed_tools: {
        mode,
        tools: [
          { type: "function", function: { name: "f" } },
          { type: "function", function: { name: "g" } },
        ],
      },
    },
  });
  assert.deepEqual(modeOf(allowed("required")), {
    functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f", "g"] },
  });
  assert.deepEqual(modeOf(allowed("auto")), {
    functionCallingConfig: { mode: "VALIDATED", allowedFunctionNames: ["f", "g"] },
  });
  const unknown = [
    "any",
    { type: "tool", name: "f" },
    { type: "function" },
    { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ name: "f" }] } },
  ];
  for (const toolChoice of unknown) {
    const options = { tools: [TOOL], toolChoice } as unknown as SamplingOptions;
    assert.throws(() => encode(options), {
      code: "configuration",
      message: /toolChoice: expected/,
    });
  }
});

Deno.test("gemini receives its own tools along with functions", () => {
  const tools: Tool[] = [TOOL, { googleSearch: {} }, { codeExecution: {} }];
  const declarations = { functionDeclarations: [{ name: "f" }] };
  // Gemini API documentation, "Combine built-in tools and function calling".
  const { body } = encode({ tools });
  assert.deepEqual(body.tools, [declarations, { googleSearch: {} }, { codeExecution: {} }]);
  assert.deepEqual(body.toolConfig, {
    functionCallingConfig: { mode: "VALIDATED" },
    includeServerSideToolInvocations: true,
  });
  const added = encode({ tools: [TOOL], extraBody: { tools: [{ urlContext: {} }] } }).body;
  assert.deepEqual(added.tools, [declarations, { urlContext: {} }]);
  assert.equal(added.toolConfig.includeServerSideToolInvocations, true);
  const alone = encode({ tools: [{ googleSearch: {} }] }).body;
  assert.deepEqual([alone.tools, alone.toolConfig], [[{ googleSearch: {} }], undefined]);
  // NONE turns off functions only.
  assert.deepEqual(encode({ tools, toolChoice: "none" }).body.tools, [declarations]);
  // An older generation rejects the combination itself.
  assert.equal(encode({ tools }, "gemini-2.5-flash").body.toolConfig, undefined);
});

Deno.test("gemini omits empty fields", () => {
  const { body } = encode({ tools: [], stop: [] }, "gemini-3-flash", [
    { role: "user", content: [{ type: "text", text: "" }, { type: "text", text: "hi" }] },
    { role: "assistant", content: "", tool_calls: [] },
  ]);
  assert.deepEqual(body, { contents: [{ role: "user", parts: [{ text: "hi" }] }] });
});

Deno.test("gemini merges extraBody into its own fields", () => {
  const { body } = encode({
    maxTokens: 9,
    thinking: "low",
    responseFormat: { type: "json_object" },
    extraBody: {
      generationConfig: {
        mediaResolution: "MEDIA_RESOLUTION_LOW",
        thinkingConfig: { includeThoughts: false },
      },
      safetySettings: [],
    },
  });
  assert.deepEqual(body.generationConfig, {
    maxOutputTokens: 9,
    thinkingConfig: { thinkingLevel: "LOW", includeThoughts: false },
    responseMimeType: "application/json",
    mediaResolution: "MEDIA_RESOLUTION_LOW",
  });
  assert.deepEqual(body.safetySettings, []);
  const conflict = { maxTokens: 9, extraBody: { generationConfig: { maxOutputTokens: 10 } } };
  assert.throws(() => encode(conflict), /generationConfig\.maxOutputTokens/);
});

function partsOf(content: unknown): unknown {
  const message = { role: "user", content } as Message;
  return encode({}, "gemini-3-flash", [message]).body.contents[0].parts;
}

Deno.test("gemini receives files, audio and documents", () => {
  const pdf = { inlineData: { mimeType: "application/pdf", data: "QUJD" } };
  const cases: [part: object, expected: object[]][] = [
    [{ type: "file", file: { file_data: "data:application/pdf;base64,QUJD" } }, [pdf]],
    [{ type: "file", file: { file_data: "QUJD", filename: "a.pdf" } }, [pdf]],
    [
      { type: "file", file: { file_data: "QUJD", filename: "a.csv" } },
      [{ inlineData: { mimeType: "text/csv", data: "QUJD" } }],
    ],
    [
      { type: "file", file: { file_id: "files/abc" } },
      [{
        fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" },
      }],
    ],
    [
      { type: "file", file: { file_id: "gs://bucket/film.mp4" } },
      [{ fileData: { mimeType: "video/mp4", fileUri: "gs://bucket/film.mp4" } }],
    ],
    [
      { type: "file", file: { file_data: "https://www.youtube.com/watch?v=x" } },
      [{ fileData: { fileUri: "https://www.youtube.com/watch?v=x" } }],
    ],
    [
      { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
      [{ inlineData: { mimeType: "audio/mp3", data: "QUJD" } }],
    ],
    [
      { type: "input_audio", input_audio: { data: "data:audio/ogg;base64,QUJD" } },
      [{ inlineData: { mimeType: "audio/ogg", data: "QUJD" } }],
    ],
    [
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "QUJD" },
        context: "A bill.",
      },
      [{ text: "A bill." }, pdf],
    ],
    [
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Hi." } },
      [{ text: "Hi." }],
    ],
    [
      { type: "document", source: { type: "content", content: [{ type: "text", text: "Hi." }] } },
      [{ text: "Hi." }],
    ],
    [
      { type: "document", source: { type: "url", url: "https://host/a.pdf" } },
      [{ fileData: { mimeType: "application/pdf", fileUri: "https://host/a.pdf" } }],
    ],
  ];
  for (const [part, expected] of cases) assert.deepEqual(partsOf([part]), expected);
});

Deno.test("gemini rejects unsupported parts by name, and only that record fails", () => {
  const cases: [part: object, message: RegExp][] = [
    [{ type: "video_url", video_url: { url: "x" } }, /"video_url"/],
    [{ type: "file", file: {} }, /neither file_data nor file_id/],
    [{ type: "file" }, /neither file_data nor file_id/],
    [{ type: "input_audio", input_audio: { data: "QUJD" } }, /input_audio\.format/],
    [{ type: "input_audio" }, /has no data/],
    [{ type: "document", source: { type: "odd" } }, /"document"/],
    [{ type: "file", file: { file_data: "data:text/plain,hi" } }, /not base64/],
  ];
  for (const [part, message] of cases) {
    assert.throws(() => partsOf([part]), { code: "invalid_input", message });
  }
  const flat = [{ id: "a", name: "f", arguments: "{}" }] as unknown as ToolCall[];
  const messages: Message[] = [{ role: "assistant", content: null, tool_calls: flat }];
  assert.throws(() => encode({}, "gemini-3-flash", messages), {
    code: "invalid_input",
    message: /tool call a has no function\.name/,
  });
});

/** Encodes a turn of calls and their results. Returns Gemini's parts of both. */
function toolTurn(
  model: string,
  calls: object[],
  results: object[],
  baseUrl = "https://host/v1beta",
): { calls: unknown; results: unknown } {
  const encode = gemini.encoder({ baseUrl, apiKey: "key", headers: {} });
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: null, tool_calls: calls },
    ...results.map((result) => ({ role: "tool", ...result })),
  ] as Message[];
  const { body } = encode({ model, messages, options: {}, stream: false });
  const { contents } = JSON.parse(body!);
  return { calls: contents[1].parts, results: contents[2].parts };
}

const CALL = { id: "a", type: "function", function: { name: "f", arguments: { x: 1 } } };
const NO_ARGUMENTS = { id: "b", type: "function", function: { name: "g", arguments: "" } };

Deno.test("gemini 3 receives other models' calls with a placeholder signature", () => {
  const results = [{ tool_call_id: "a", content: "1" }, { tool_call_id: "b", content: "2" }];
  const signature = { thoughtSignature: "skip_thought_signature_validator" };
  const first = { functionCall: { id: "a", name: "f", args: { x: 1 } } };
  const second = { functionCall: { id: "b", name: "g", args: {} } };
  // Google signs only the first of parallel calls.
  assert.deepEqual(toolTurn("gemini-3-flash", [CALL, NO_ARGUMENTS], results).calls, [
    { ...first, ...signature },
    second,
  ]);
  assert.deepEqual(toolTurn("gemini-4-argon", [NO_ARGUMENTS, CALL], results).calls, [
    { ...second, ...signature },
    first,
  ]);
  assert.deepEqual(toolTurn("gemini-2.5-flash", [CALL, NO_ARGUMENTS], results).calls, [
    first,
    second,
  ]);
  // A call that Gemini made through its OpenAI-compatible API.
  const known = { ...CALL, extra_content: { google: { thought_signature: "sig" } } };
  assert.deepEqual(toolTurn("gemini-3-flash", [known, NO_ARGUMENTS], results).calls, [
    { ...first, thoughtSignature: "sig" },
    second,
  ]);
});

Deno.test("gemini 3 receives a placeholder signature for its own calls only if they have none", () => {
  const call = { functionCall: { name: "f", args: {} } };
  const sent = (parts: object[], model: string) => {
    const providerMessage: ProviderMessage = { format: "gemini", content: parts };
    const message: Message = { role: "assistant", content: null, providerMessage };
    return encode({}, model, [message]).body.contents[0].parts;
  };
  const signed = [{ text: "", thoughtSignature: "t" }, { ...call, thoughtSignature: "s" }, call];
  assert.deepEqual(sent(signed, "gemini-3-flash"), signed);
  assert.deepEqual(sent([call, call], "gemini-3-flash"), [
    { ...call, thoughtSignature: "skip_thought_signature_validator" },
    call,
  ]);
  assert.deepEqual(sent([call], "gemini-2.5-flash"), [call]);
});

Deno.test("gemini receives errors and media of tools, and Vertex AI no call ids", () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } };
  const failed = { tool_call_id: "a", content: "no such city", is_error: true };
  const shown = { tool_call_id: "b", content: [{ type: "text", text: "a map" }, image] };
  const calls = [CALL, NO_ARGUMENTS];
  assert.deepEqual(toolTurn("gemini-3-flash", calls, [failed, shown]).results, [
    { functionResponse: { id: "a", name: "f", response: { error: "no such city" } } },
    {
      functionResponse: {
        id: "b",
        name: "g",
        response: { output: "a map" },
        parts: [{ inlineData: { mimeType: "image/png", data: "QUJD" } }],
      },
    },
  ]);
  assert.throws(() => toolTurn("gemini-2.5-flash", calls, [failed, shown]), {
    code: "invalid_input",
    message: /Gemini in a tool message .* "image_url"/,
  });
  const byUri = { type: "file", file: { file_id: "gs://bucket/a.pdf" } };
  const linked = { tool_call_id: "b", content: [byUri] };
  assert.throws(() => toolTurn("gemini-3-flash", calls, [linked]), { message: /"file"/ });
  const vertex =
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1" +
    "/publishers/google";
  // vercel/ai, issue 15891: Vertex AI rejects ids.
  const turn = toolTurn("gemini-2.5-flash", [CALL], [failed], vertex);
  assert.deepEqual(turn, {
    calls: [{ functionCall: { name: "f", args: { x: 1 } } }],
    results: [{ functionResponse: { name: "f", response: { error: "no such city" } } }],
  });
});

Deno.test("gemini uses the paths of tuned models and deployments", () => {
  assert.equal(
    encode({}, "tunedModels/mine").url,
    "https://host/v1beta/tunedModels/mine:generateContent",
  );
  // For unknown models, nothing is rejected.
  assert.equal(
    encode({ temperature: 0 }, "gemini-flash-latest").body.generationConfig.temperature,
    0,
  );
  assert.equal(encode({ temperature: 0 }, "tunedModels/x").body.generationConfig.temperature, 0);
});

Deno.test("gemini's errors map to the right classes", () => {
  const errorOf = (status: number, error: object): unknown => {
    try {
      decodeResponse(gemini, { status, headers: new Headers(), body: JSON.stringify({ error }) });
    } catch (thrown) {
      const { code, retryAfter } = thrown as { code: string; retryAfter?: number };
      return { code, retryAfter };
    }
  };
  const message = "no";
  const badKey = { code: 400, message, details: [{ reason: "API_KEY_INVALID" }] };
  assert.deepEqual(errorOf(400, badKey), { code: "authentication", retryAfter: undefined });
  const perMinute = {
    code: 429,
    message,
    status: "RESOURCE_EXHAUSTED",
    details: [{ violations: [{ quotaId: "RequestsPerMinutePerProject" }] }, { retryDelay: "34s" }],
  };
  assert.deepEqual(errorOf(429, perMinute), { code: "rate_limit", retryAfter: 34 });
  const perDay = {
    ...perMinute,
    details: [{ violations: [{ quotaId: "RequestsPerDayPerProject" }] }],
  };
  assert.deepEqual(errorOf(429, perDay), { code: "quota_exceeded", retryAfter: undefined });
});
