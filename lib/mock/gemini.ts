/**
 * The mock's side of Google's Gemini API.
 *
 * Source: Gemini API reference, "models.generateContent", "models.streamGenerateContent", and the types of
 * `@google/genai` 3.1.
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import type { CannedCitation } from "./canned.ts";
import { geminiBody } from "./gemini_body.ts";
import { geminiError } from "./gemini_error.ts";
import { textPieces } from "./logprobs.ts";
import type { MockAnswer, MockChoice } from "./mock_answer.ts";
import {
  choicesOf,
  contentKey,
  limitOf,
  type MockRequest,
  type MockTool,
  stopsOf,
  textOf,
} from "./mock_request.ts";
import type { CallContext, MockEvent, MockProtocol } from "./protocol.ts";
import { reader } from "./read_body.ts";
import { tokenize } from "./text.ts";
import { checkGemini } from "./validate_gemini.ts";

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

function toolsOf(body: Json): MockTool[] {
  return asObjects(body.tools)
    .flatMap(({ functionDeclarations }) => asObjects(functionDeclarations))
    .map(({ name, parametersJsonSchema, parameters }) => ({
      name: String(name),
      schema: toJsonSchema(parametersJsonSchema ?? parameters ?? { type: "object" }) as Json,
    }));
}

function requiredTool(body: Json): boolean | string {
  const { mode, allowedFunctionNames: allowed } =
    asObject(asObject(body.toolConfig)?.functionCallingConfig) ?? {};
  if (mode !== "ANY") return false;
  return (Array.isArray(allowed) ? asText(allowed[0]) : undefined) ?? true;
}

function formatOf(config: Json): MockRequest["format"] {
  const schema = config.responseJsonSchema ?? config.responseSchema;
  if (schema) return toJsonSchema(schema) as Json;
  return config.responseMimeType === "application/json" ? "json" : "text";
}

function readRequest(body: Json, { model = "", stream = false }: CallContext): MockRequest {
  const contents = asObjects(body.contents);
  const config = asObject(body.generationConfig) ?? {};
  return {
    model,
    conversation: `${contentKey(body.systemInstruction)}${JSON.stringify(contents)}`,
    question: textOf(contents.findLast(({ role }) => role !== "model")?.parts),
    tools: toolsOf(body),
    required: requiredTool(body),
    format: formatOf(config),
    thinking: asObject(config.thinkingConfig)?.includeThoughts === true,
    maxTokens: limitOf(config.maxOutputTokens),
    stop: stopsOf(config.stopSequences),
    choices: choicesOf(config.candidateCount),
    topLogprobs: config.responseLogprobs === true ? Number(config.logprobs ?? 0) : undefined,
    stream,
  };
}

/** A count may hold the whole request that it is for. */
function normalized(body: Json, counting: boolean | undefined): Json {
  const whole = geminiBody(body);
  return counting ? asObject(whole.generateContentRequest) ?? whole : whole;
}

const readNormalized = reader(
  (body, { model = "" }) => checkGemini(body, model),
  readRequest,
);

type Part = Json;

function tokenOf({ token, logprob }: { token: string; logprob: number }) {
  return { token, logProbability: logprob };
}

function logprobsOf(logprobs: readonly TokenLogprob[] | undefined): Json {
  if (logprobs === undefined || logprobs.length === 0) return {};
  const sum = logprobs.reduce((total, { logprob }) => total + logprob, 0);
  return {
    avgLogprobs: sum / logprobs.length,
    logprobsResult: {
      chosenCandidates: logprobs.map(tokenOf),
      topCandidates: logprobs.map(({ topLogprobs = [] }) => ({
        candidates: topLogprobs.map(tokenOf),
      })),
      logProbabilitySum: sum,
    },
  };
}

/** Places in a text are counted in bytes here. */
function groundingOf(citations: readonly CannedCitation[], text: string): Json {
  if (citations.length === 0) return {};
  const bytes = (end: number) => new TextEncoder().encode(text.slice(0, end)).length;
  return {
    groundingMetadata: {
      groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url, title } })),
      groundingSupports: citations.map(({ start = 0, end = text.length }, i) => ({
        segment: {
          startIndex: bytes(start),
          endIndex: bytes(end),
          text: text.slice(start, end),
        },
        groundingChunkIndices: [i],
      })),
    },
  };
}

/** How a candidate ended; a refusal gives its words as the message. */
function endOf({ finish, refusal, citations, text }: MockChoice): Json {
  const grounding = groundingOf(citations, text);
  if (finish === "refusal") {
    return { finishReason: "SAFETY", finishMessage: refusal, ...grounding };
  }
  return { finishReason: finish === "length" ? "MAX_TOKENS" : "STOP", ...grounding };
}

function responseOf(answer: MockAnswer, candidates: Json[]) {
  const { promptTokens, completionTokens, thinkingTokens } = answer;
  return {
    responseId: `mock-${answer.id}`,
    modelVersion: answer.model,
    candidates,
    usageMetadata: {
      promptTokenCount: promptTokens,
      candidatesTokenCount: completionTokens - thinkingTokens,
      thoughtsTokenCount: thinkingTokens,
      totalTokenCount: promptTokens + completionTokens,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: promptTokens }],
    },
  };
}

/** What comes after the text: the calls. Thinking leaves its signature on the first part. */
function lastParts(id: string, choice: MockChoice, text: string): Part[] {
  const { calls, thinking, refusal } = choice;
  const parts: Part[] = text !== "" || calls.length === 0 && refusal === undefined
    ? [{ text }]
    : [];
  for (const call of calls) {
    const args = call.custom ? { input: call.arguments } : JSON.parse(call.arguments);
    parts.push({ functionCall: { id: `call-${call.id}`, name: call.name, args } });
  }
  if (thinking !== "" && parts.length > 0) parts[0].thoughtSignature = btoa(`signature ${id}`);
  return parts;
}

/** A candidate; one without parts has no content. */
function candidate(index: number, parts: Part[], rest: Json = {}): Json {
  const content = parts.length === 0 ? {} : { content: { role: "model", parts } };
  return { index, ...content, ...rest };
}

function body(answer: MockAnswer) {
  return responseOf(
    answer,
    answer.choices.map((choice, index) => {
      const thought = choice.thinking === "" ? [] : [{ text: choice.thinking, thought: true }];
      return candidate(index, [...thought, ...lastParts(answer.id, choice, choice.text)], {
        ...endOf(choice),
        ...logprobsOf(choice.logprobs),
      });
    }),
  );
}

function* events(answer: MockAnswer): Generator<MockEvent> {
  const event = (one: Json): MockEvent => ({
    data: JSON.stringify(responseOf(answer, [one])),
    token: true,
  });
  for (const [index, choice] of answer.choices.entries()) {
    for (const text of tokenize(choice.thinking)) {
      yield event(candidate(index, [{ text, thought: true }]));
    }
    for (const { text, logprobs } of textPieces(choice.text, choice.logprobs)) {
      yield event(candidate(index, [{ text }], logprobsOf(logprobs)));
    }
    yield event(candidate(index, lastParts(answer.id, choice, ""), endOf(choice)));
  }
}

function model(id: string) {
  return {
    name: `models/${id}`,
    baseModelId: id,
    displayName: id,
    description: "A mock.",
    version: "1",
    inputTokenLimit: 1_000_000,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: ["generateContent", "countTokens"],
    temperature: 1,
    maxTemperature: 2,
    topP: 0.95,
    topK: 64,
    thinking: true,
  };
}

/** The Gemini API. */
export const gemini: MockProtocol = {
  read(body, context) {
    const object = asObject(body);
    return readNormalized(object && normalized(object, context.counting), context);
  },
  body,
  events,
  error: geminiError,
  overloaded: 503,
  models: (ids) => ({ models: ids.map(model) }),
  model,
  count: (totalTokens) => ({
    totalTokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }],
  }),
  headers: () => ({}),
};
