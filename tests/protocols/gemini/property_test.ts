/**
 * Random answers that are valid by the types of `@google/genai` (`GenerateContentResponse`), compared with
 * an independent decoder, and split into a stream, compared with the plain answer.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { gemini } from "../../../lib/protocols/gemini/gemini.ts";
import { decodeEvent } from "../../support/decode_event.ts";

type Part = Record<string, unknown>;
type Response = Record<string, unknown>;

const SEED = 20_261_127;

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("", "</think>", "<think>a</think>b", "Größe 🗻 3 m"),
);
const signature = fc.option(fc.base64String({ minLength: 4, maxLength: 8 }), { nil: undefined });
/** The leaves of arguments, and the containers that partial arguments can address. */
const { value: args } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
  value: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z_][a-z0-9_ .-]{0,5}$/), tie("value"), { maxKeys: 3 }),
  ),
}));
const argsObject = fc.dictionary(fc.stringMatching(/^[a-z_]{1,5}$/), args, { maxKeys: 3 });

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ text, thoughtSignature: signature }) },
  fc.record({ text, thought: fc.constant(true), thoughtSignature: signature }),
  fc.record({
    functionCall: fc.record(
      { name: fc.constantFrom("f", "g"), id: fc.uuid(), args: argsObject },
      { requiredKeys: ["name"] },
    ),
    thoughtSignature: signature,
  }),
  fc.record({
    inlineData: fc.record({ mimeType: fc.constant("image/png"), data: fc.base64String() }),
  }),
  fc.constant({ executableCode: { language: "PYTHON", code: "1" } }),
  fc.constant({ codeExecutionResult: { outcome: "OUTCOME_OK" } }),
  fc.constant({ toolCall: { id: "t", toolType: "URL_CONTEXT", args: {} } }),
  fc.record({ thoughtSignature: fc.constant("s") }),
);

const count = fc.option(fc.integer({ min: 0, max: 1e6 }), { nil: undefined });
const usage = fc.record({
  promptTokenCount: count,
  candidatesTokenCount: count,
  thoughtsTokenCount: count,
  toolUsePromptTokenCount: count,
  cachedContentTokenCount: count,
}).map((counts): Response => {
  const { cachedContentTokenCount: _, ...parts } = counts;
  const total = Object.values(parts).reduce((sum: number, value) => sum + (value ?? 0), 0);
  return { ...counts, totalTokenCount: total };
});

const logprobs = fc.array(fc.tuple(text, fc.double({ min: -9, max: 0, noNaN: true })), {
  maxLength: 4,
});

const grounding = fc.record({
  chunks: fc.array(fc.webUrl(), { minLength: 1, maxLength: 3 }),
  /** The start and end of each support as fractions of the text, and its sources. */
  supports: fc.array(
    fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(2),
    ),
    { maxLength: 3 },
  ),
});

const finish = fc.constantFrom(
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  ["SAFETY", "content_filter"],
  ["RECITATION", "content_filter"],
);

function contentOf(parts: readonly Part[]): string {
  let content = "";
  for (const part of parts) {
    if (typeof part.text === "string" && !part.thought) content += part.text;
  }
  return content;
}

/** Grounding metadata whose supports start and end at character boundaries of `content`. */
function groundingOf(content: string, { chunks, supports }: {
  chunks: string[];
  supports: [number, number, number][];
}): Response {
  const characters = [...content];
  const encoder = new TextEncoder();
  return {
    groundingChunks: chunks.map((uri) => ({ web: { uri, title: "x" } })),
    groundingSupports: supports.map(([a, b, index]) => {
      const [from, to] = [a, b].sort().map((share) => Math.floor(share * characters.length));
      const before = encoder.encode(characters.slice(0, from).join("")).length;
      const text = characters.slice(from, to).join("");
      const endIndex = before + encoder.encode(text).length;
      // Protobuf's JSON omits zeros and empty text.
      return {
        segment: {
          ...before !== 0 && { startIndex: before },
          ...endIndex !== 0 && { endIndex },
          ...text !== "" && { text },
        },
        groundingChunkIndices: [index],
      };
    }),
  };
}

const answer = fc.record({
  parts: fc.array(part, { maxLength: 6 }),
  finish,
  usage: fc.option(usage, { nil: undefined }),
  logprobs,
  grounding: fc.option(grounding, { nil: undefined }),
  message: fc.option(fc.constant("Said why."), { nil: undefined }),
}).map(({ parts, finish: [finishReason, expected], usage, logprobs, grounding, message }) => {
  // As in JSON: without undefined fields and -0.
  const response: Response = JSON.parse(JSON.stringify({
    responseId: "r",
    modelVersion: "m",
    candidates: [{
      index: 0,
      content: { role: "model", parts },
      finishReason,
      finishMessage: message,
      logprobsResult: logprobs.length === 0 ? undefined : {
        chosenCandidates: logprobs.map(([token, logProbability]) => ({ token, logProbability })),
      },
      groundingMetadata: grounding && groundingOf(contentOf(parts), grounding),
    }],
    usageMetadata: usage,
  }));
  return { response, expected };
});

/** The content of an answer, read by a second, minimal decoder. */
function independentReading(response: Response, finishReason: string) {
  const [candidate] = response.candidates as Response[];
  const parts = (candidate.content as { parts: Part[] }).parts;
  const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall as Part);
  const counted = response.usageMetadata as Record<string, number> | undefined;
  const of = (name: string) => counted?.[name] ?? 0;
  const text = contentOf(parts);
  const refusal = finishReason === "content_filter" ? candidate.finishMessage ?? null : null;
  const metadata = candidate.groundingMetadata as
    | { groundingChunks: { web: { uri: string } }[]; groundingSupports: Response[] }
    | undefined;
  const cited: [string, string | undefined][] = [];
  const seen = new Set<string>();
  for (
    const { segment, groundingChunkIndices: [index] } of (metadata?.groundingSupports ?? []) as {
      segment: { text?: string };
      groundingChunkIndices: number[];
    }[]
  ) {
    const url = metadata!.groundingChunks[index]?.web.uri;
    const key = JSON.stringify([segment, url]);
    if (url !== undefined && !seen.has(key)) cited.push([url, segment.text]);
    seen.add(key);
  }
  const referred = new Set(cited.map(([url]) => url));
  for (const url of new Set(metadata?.groundingChunks.map(({ web }) => web.uri))) {
    if (!referred.has(url)) cited.push([url, undefined]);
  }
  const logprobs = (candidate.logprobsResult as { chosenCandidates: Response[] } | undefined)
    ?.chosenCandidates.map(({ token, logProbability }) => ({ token, logprob: logProbability }));
  return {
    content: text || (refusal ?? ""),
    thinking: parts.filter((part) => part.thought).map((part) => part.text).join("") || null,
    refusal,
    calls: calls.map(({ name, args }) => [name, args ?? {}]),
    finishReason: finishReason === "stop" && calls.length > 0 ? "tool_calls" : finishReason,
    usage: counted === undefined ? null : {
      promptTokens: of("promptTokenCount") + of("toolUsePromptTokenCount"),
      completionTokens: of("candidatesTokenCount") + of("thoughtsTokenCount"),
      totalTokens: of("totalTokenCount"),
      cachedTokens: Math.min(
        of("cachedContentTokenCount"),
        of("promptTokenCount") + of("toolUsePromptTokenCount"),
      ),
      reasoningTokens: of("thoughtsTokenCount"),
    },
    logprobs,
    cited: cited.length === 0 ? undefined : cited,
  };
}

type Said = Pick<
  ReturnType<typeof gemini.decode>,
  | "content"
  | "thinking"
  | "refusal"
  | "toolCalls"
  | "finishReason"
  | "usage"
  | "logprobs"
  | "citations"
>;

/** The content of our decoder's result, in the same form. */
function ownReading(said: Said) {
  return {
    content: said.content,
    thinking: said.thinking,
    refusal: said.refusal,
    calls: said.toolCalls.map((
      { function: { name, arguments: json } },
    ) => [name, JSON.parse(json)]),
    finishReason: said.finishReason,
    usage: said.usage,
    logprobs: said.logprobs,
    cited: said.citations?.map(({ url, start, end }) => [
      url,
      start === undefined ? undefined : said.content.slice(start, end),
    ]),
  };
}

/** Splits arguments into pieces as `streamFunctionCallArguments` does. */
function piecesOf(value: unknown, path: string): Part[] {
  if (typeof value === "string") {
    const middle = Math.ceil(value.length / 2);
    return [
      { jsonPath: path, stringValue: value.slice(0, middle), willContinue: true },
      { jsonPath: path, stringValue: value.slice(middle) },
    ];
  }
  if (typeof value === "number") return [{ jsonPath: path, numberValue: value }];
  if (typeof value === "boolean") return [{ jsonPath: path, boolValue: value }];
  if (value === null) return [{ jsonPath: path, nullValue: "NULL_VALUE" }];
  if (Array.isArray(value)) {
    if (value.length === 0) return [{ jsonPath: `${path}[]` }];
    return value.flatMap((item, i) => piecesOf(item, `${path}[${i}]`));
  }
  const fields = Object.entries(value as Part);
  if (fields.length === 0) return path === "$" ? [] : [{ jsonPath: path }];
  return fields.flatMap(([name, field]) =>
    piecesOf(field, /^[a-z_]+$/.test(name) ? `${path}.${name}` : `${path}['${name}']`)
  );
}

/** The parts into which a stream may split one part. */
function cutPart(part: Part, random: () => number): Part[] {
  if (typeof part.text === "string" && part.thoughtSignature === undefined) {
    const { text, ...rest } = part;
    const at = Math.floor(random() * (String(text).length + 1));
    return [{ text: String(text).slice(0, at), ...rest }, {
      text: String(text).slice(at),
      ...rest,
    }];
  }
  const call = part.functionCall as Part | undefined;
  if (call?.args === undefined || random() < 0.5) return [part];
  const { args, ...rest } = call;
  const pieces = piecesOf(args, "$");
  return [
    { ...part, functionCall: { ...rest, willContinue: true } },
    ...pieces.map((piece): Part => ({
      functionCall: { partialArgs: [piece], willContinue: true },
    })),
    { functionCall: {} },
  ];
}

/** The same answer as the chunks of a stream, split at random positions. */
function cut(response: Response, random: () => number): Response[] {
  const { candidates, usageMetadata, ...rest } = response;
  const [{ content, finishReason, finishMessage, logprobsResult, groundingMetadata }] =
    candidates as Response[];
  const parts = (content as { parts: Part[] }).parts.flatMap((part) => cutPart(part, random));
  const chunks: Response[] = [];
  const add = (candidate: Response) => chunks.push({ ...rest, candidates: [candidate] });
  while (parts.length > 0) {
    add({ content: { role: "model", parts: parts.splice(0, 1 + Math.floor(random() * 3)) } });
  }
  const tokens = (logprobsResult as { chosenCandidates: Response[] } | undefined)
    ?.chosenCandidates ?? [];
  for (const token of tokens) add({ logprobsResult: { chosenCandidates: [token] } });
  if (random() < 0.5) add({ groundingMetadata });
  const last = { finishReason, finishMessage };
  if (random() < 0.5) add({ content: {}, ...last, groundingMetadata });
  else {
    add({ ...last });
    add({ groundingMetadata });
  }
  chunks.at(-1)!.usageMetadata = usageMetadata;
  return JSON.parse(JSON.stringify(chunks));
}

Deno.test("gemini's valid answers are decoded in full", () => {
  fc.assert(
    fc.property(answer, ({ response, expected }) => {
      assert.deepEqual(
        ownReading(gemini.decode(response)),
        independentReading(response, expected),
      );
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("gemini's streams decode to the same result as plain answers, wherever they are split", () => {
  // Sources without a place are known to be without one only at the end, so the order may differ.
  const sorted = (said: ReturnType<typeof ownReading>) => ({
    ...said,
    cited: said.cited?.map((cited) => JSON.stringify(cited)).sort(),
  });
  fc.assert(
    fc.property(answer, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (
      { response },
      numbers,
    ) => {
      const plain = gemini.decode(response);
      const decoder = gemini.streamDecoder();
      const total = new StreamAccumulator();
      for (const chunk of cut(response, () => numbers.next().value as number)) {
        for (const event of decodeEvent(decoder, JSON.stringify(chunk))) total.add(event);
      }
      assert.ok(decoder.complete);
      assert.equal(decoder.model, plain.model);
      assert.deepEqual(sorted(ownReading(total as Said)), sorted(ownReading(plain)));
      assert.deepEqual(total.toolCalls, plain.toolCalls);
      // The next request and `raw` are also the same.
      assert.deepEqual(decoder.providerMessage(), plain.providerMessage);
      const again = gemini.decode(decoder.raw);
      assert.deepEqual(sorted(ownReading(again)), sorted(ownReading(plain)));
    }),
    { seed: SEED, numRuns: 500 },
  );
});
