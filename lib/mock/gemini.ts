/**
 * The mock's side of Google's Gemini API.
 *
 * Source: Gemini API reference, "models.generateContent", "models.streamGenerateContent".
 *
 * @module
 */
import * as v from "valibot";
import { type MockEvent, type MockProtocol, type MockTrouble, readBody } from "./protocol.ts";
import { contentKey, type MockAnswer, type MockQuestion, textOf } from "./question.ts";
import { tokenize } from "./text.ts";

const schema = v.record(v.string(), v.unknown());

const generateRequest = v.looseObject({
  contents: v.pipe(
    v.array(v.looseObject({
      role: v.optional(v.picklist(["user", "model"])),
      parts: v.array(v.looseObject({ text: v.optional(v.string()) })),
    })),
    v.minLength(1),
  ),
  systemInstruction: v.nullish(v.unknown()),
  tools: v.nullish(v.array(v.looseObject({
    functionDeclarations: v.nullish(v.array(v.looseObject({
      name: v.string(),
      parametersJsonSchema: v.optional(schema),
      parameters: v.optional(schema),
    }))),
  }))),
  toolConfig: v.nullish(v.looseObject({
    functionCallingConfig: v.nullish(v.looseObject({
      mode: v.optional(v.string()),
      allowedFunctionNames: v.optional(v.array(v.string())),
    })),
  })),
  generationConfig: v.nullish(v.looseObject({
    maxOutputTokens: v.nullish(v.number()),
    responseMimeType: v.nullish(v.string()),
    responseJsonSchema: v.nullish(schema),
    responseSchema: v.nullish(schema),
    thinkingConfig: v.nullish(v.looseObject({ includeThoughts: v.nullish(v.boolean()) })),
  })),
});

/** Google's own schemas write the types in capitals. */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      name === "type" && typeof field === "string" ? field.toLowerCase() : toJsonSchema(field),
    ]),
  );
}

function read(
  body: unknown,
  path: { model?: string; stream?: boolean },
): MockQuestion | MockTrouble {
  const result = readBody(generateRequest, body);
  if ("trouble" in result) return result.trouble;
  const { contents, systemInstruction, tools, toolConfig, generationConfig: config } = result.value;
  const asked = contents.findLast(({ role }) => role !== "model");
  const choice = toolConfig?.functionCallingConfig;
  const given = config?.responseJsonSchema ?? config?.responseSchema;
  return {
    model: path.model ?? "",
    conversation: `${contentKey(systemInstruction)}${JSON.stringify(contents)}`,
    question: textOf(asked?.parts),
    tools: (tools ?? []).flatMap(({ functionDeclarations }) => functionDeclarations ?? [])
      .map(({ name, parametersJsonSchema, parameters }) => ({
        name,
        schema: toJsonSchema(parametersJsonSchema ?? parameters ?? { type: "object" }) as Record<
          string,
          unknown
        >,
      })),
    required: choice?.mode === "ANY" && (choice.allowedFunctionNames?.[0] ?? true),
    format: given
      ? toJsonSchema(given) as Record<string, unknown>
      : config?.responseMimeType === "application/json"
      ? "json"
      : "text",
    thinking: config?.thinkingConfig?.includeThoughts ?? false,
    maxTokens: config?.maxOutputTokens ?? Infinity,
    stream: path.stream ?? false,
  };
}

type Part = Record<string, unknown>;

function responseOf(answer: MockAnswer, parts: Part[], ended: boolean) {
  const { promptTokens, completionTokens, thinkingTokens } = answer;
  const finishReason = answer.finish === "length" ? "MAX_TOKENS" : "STOP";
  return {
    responseId: `mock-${answer.id}`,
    modelVersion: answer.model,
    candidates: [{
      index: 0,
      content: { role: "model", parts },
      ...(ended ? { finishReason } : {}),
    }],
    usageMetadata: {
      promptTokenCount: promptTokens,
      candidatesTokenCount: completionTokens - thinkingTokens,
      thoughtsTokenCount: thinkingTokens,
      totalTokenCount: promptTokens + completionTokens,
    },
  };
}

/** What comes after the text: the calls. Thinking leaves its signature on the first part. */
function lastParts({ id, calls, thinking }: MockAnswer, text: string): Part[] {
  const parts: Part[] = text !== "" || calls.length === 0 ? [{ text }] : [];
  for (const call of calls) {
    const args = JSON.parse(call.arguments);
    parts.push({ functionCall: { id: `call-${call.id}`, name: call.name, args } });
  }
  if (thinking !== "") parts[0].thoughtSignature = btoa(`signature ${id}`);
  return parts;
}

function body(answer: MockAnswer) {
  const thought = answer.thinking === "" ? [] : [{ text: answer.thinking, thought: true }];
  return responseOf(answer, [...thought, ...lastParts(answer, answer.text)], true);
}

function* events(answer: MockAnswer): Generator<MockEvent> {
  const event = (parts: Part[], ended = false): MockEvent => ({
    data: JSON.stringify(responseOf(answer, parts, ended)),
    token: true,
  });
  for (const text of tokenize(answer.thinking)) yield event([{ text, thought: true }]);
  for (const text of tokenize(answer.text)) yield event([{ text }]);
  yield event(lastParts(answer, ""), true);
}

const ERRORS = {
  invalid: [400, "INVALID_ARGUMENT"],
  rate_limit: [429, "RESOURCE_EXHAUSTED"],
  server_error: [500, "INTERNAL"],
  overloaded: [503, "UNAVAILABLE"],
  not_found: [404, "NOT_FOUND"],
} as const;

function error(trouble: MockTrouble, given?: number) {
  const [usual, status] = ERRORS[trouble.kind];
  const code = given ?? usual;
  return { status: code, body: { error: { code, message: trouble.message, status } } };
}

function models(ids: readonly string[]) {
  return {
    models: ids.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      version: "1",
      inputTokenLimit: 1_000_000,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ["generateContent"],
    })),
  };
}

/** The Gemini API. */
export const gemini: MockProtocol = { read, body, events, error, models, headers: () => ({}) };
