/**
 * Decodes answers of the Gemini API, chunk by chunk. Each chunk of a stream is a whole response with the
 * next parts, and there is no end marker; a plain answer is treated as a stream of one chunk.
 *
 * Source: Gemini API reference, "models.streamGenerateContent".
 *
 * @module
 */
import type { ProviderMessage } from "../../chat/messages.ts";
import type { Usage } from "../../usage.ts";
import type { StreamEvent } from "../../chat/events.ts";
import type { PartialCompletion } from "../../errors.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { type AnswerText, CitationReader } from "./citations.ts";
import { decodeServiceTier, decodeUsage, mergeUsage, normalizeResponse } from "./usage.ts";
import { checkBlocked, checkFailure, finishReason, isFinished, reasonOf } from "./finish_reason.ts";
import { decodeLogprobs } from "./logprobs.ts";
import { addPartialArgs, isPartialCall } from "./partial_args.ts";
import { decodeError } from "../google_error.ts";
import { parseEvent } from "../parse_event.ts";
import type { StreamDecoder } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";

/** A function call whose arguments are still arriving. */
interface OpenCall {
  index: number;
  part: Json;
  call: Json;
  args: Json;
}

/** The first of several choices, the only one that is read; protobuf omits an index of 0. */
function firstChoice(answer: Json): Json | undefined {
  return asObjects(answer.candidates).find(({ index }) => (index ?? 0) === 0);
}

function isEmptyValue(value: unknown): boolean {
  return value === null || value === undefined ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** Copies fields with a value, so that a later chunk does not erase an earlier one's. */
function assignFields(target: Json, source: Json | undefined): void {
  for (const name in source) {
    if (!isEmptyValue(source[name]) || !(name in target)) target[name] = source[name];
  }
}

/** Whether a part is only text, so that the next text can be appended to it. */
function isPlainText(part: Json | undefined): part is Json & { text: string } {
  if (typeof part?.text !== "string") return false;
  for (const name in part) if (name !== "text" && name !== "thought") return false;
  return true;
}

/** Arguments as JSON; some gateways send the text itself. */
function argumentsOf(args: unknown): string {
  return asText(args) ?? JSON.stringify(args || {});
}

/** Decodes one stream. */
export class GeminiStreamDecoder implements StreamDecoder {
  complete = false;
  readonly ended = false;
  /** The whole response so far, in the form of a plain answer. */
  readonly raw: Json = {};
  readonly #candidate: Json = {};
  readonly #parts: Json[] = [];
  readonly #citations = new CitationReader();
  /** The start of each received part within the text. */
  readonly #starts: (number | undefined)[] = [];
  #length = 0;
  #calls = 0;
  #openCalls: OpenCall[] = [];
  #started = false;
  #refused = false;

  get model(): string | undefined {
    return asText(this.raw.modelVersion);
  }

  get serviceTier(): string | undefined {
    return decodeServiceTier(this.raw.usageMetadata);
  }

  /** The tokens counted so far. */
  get usage(): Usage | null {
    return decodeUsage(this.raw.usageMetadata);
  }

  /** Whether a candidate arrived. */
  get hasCandidate(): boolean {
    return this.raw.candidates !== undefined;
  }

  push(data: string, events: StreamEvent[]): void {
    for (const event of this.read(parseEvent(data, true))) events.push(event);
  }

  /**
   * Decodes one chunk, or a whole response.
   *
   * @throws {FlexLLMError} for an error object, a blocked prompt, or a failed answer
   */
  read(response: Json): StreamEvent[] {
    const answer = normalizeResponse(response);
    const error = decodeError(answer);
    if (error !== undefined) throw embeddedError(error, undefined, this.partial());
    const candidate = firstChoice(answer);
    this.#keepAnswer(answer, candidate);
    if (candidate?.content === undefined && candidate?.finishReason === undefined) {
      checkBlocked(answer, () => this.partial());
    }
    const events: StreamEvent[] = [];
    if (candidate !== undefined) this.#readCandidate(candidate, events);
    this.#started ||= events.length > 0;
    // Usage alone does not start an answer: until one starts, a failure can be retried.
    const usage = this.#started && answer.usageMetadata !== undefined ? this.usage : null;
    if (usage !== null) events.push({ type: "usage", usage });
    return events;
  }

  /** The remaining events at the end of the stream. */
  end(): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.#closeCalls(events);
    this.#cite(events);
    if (!this.complete) {
      const reason = reasonOf(this.#candidate);
      events.push({ type: "finish", finishReason: finishReason(reason, this.#calls > 0) });
    }
    return events;
  }

  providerMessage(): ProviderMessage | undefined {
    return this.#parts.length === 0 ? undefined : { format: "gemini", content: this.#parts };
  }

  /** What arrived so far, for an error. */
  partial(): PartialCompletion {
    return {
      content: this.#textOf(false),
      thinking: this.#textOf(true) || null,
      usage: this.usage,
    };
  }

  #textOf(thought: boolean): string {
    return this.#parts.filter((part) => (part.thought === true) === thought)
      .map((part) => asText(part.text) ?? "").join("");
  }

  #keepAnswer({ candidates: _, usageMetadata, ...rest }: Json, candidate: Json | undefined): void {
    assignFields(this.raw, rest);
    const usage = asObject(usageMetadata);
    if (usage !== undefined) {
      this.raw.usageMetadata = mergeUsage(asObject(this.raw.usageMetadata) ?? {}, usage);
    }
    if (candidate === undefined) return;
    const { content, logprobsResult, ...fields } = candidate;
    this.raw.candidates ??= [this.#candidate];
    this.#candidate.content ??= { parts: this.#parts, role: asObject(content)?.role ?? "model" };
    assignFields(this.#candidate, fields);
    const logprobs = asObject(logprobsResult);
    if (logprobs === undefined) return;
    const known = asObject(this.#candidate.logprobsResult) ?? {};
    this.#candidate.logprobsResult = {
      ...logprobs,
      chosenCandidates: [
        ...asObjects(known.chosenCandidates),
        ...asObjects(logprobs.chosenCandidates),
      ],
      topCandidates: [...asObjects(known.topCandidates), ...asObjects(logprobs.topCandidates)],
    };
  }

  #readCandidate(candidate: Json, events: StreamEvent[]): void {
    for (const part of asObjects(asObject(candidate.content)?.parts)) this.#readPart(part, events);
    this.#citations.add(candidate);
    const logprobs = decodeLogprobs(candidate.logprobsResult);
    if (logprobs.length > 0) events.push({ type: "logprobs", logprobs });
    const reason = reasonOf(candidate);
    if (isFinished(reason)) {
      this.#closeCalls(events);
      checkFailure(this.#candidate, this.#parts.length === 0, () => this.partial());
      this.complete = true;
    }
    // Some chunks with sources arrive after the finish reason.
    if (this.complete) this.#cite(events);
    if (isFinished(reason)) {
      const finish = finishReason(reason, this.#calls > 0);
      const refusal = finish === "content_filter" && asText(candidate.finishMessage);
      if (refusal && !this.#refused) events.push({ type: "refusal", text: refusal });
      this.#refused ||= Boolean(refusal);
      events.push({ type: "finish", finishReason: finish });
    }
  }

  #cite(events: StreamEvent[]): void {
    const text = (): AnswerText => ({ content: this.#textOf(false), starts: this.#starts });
    for (const citation of this.#citations.take(text)) events.push({ type: "citation", citation });
  }

  #readPart(part: Json, events: StreamEvent[]): void {
    const call = asObject(part.functionCall);
    if (call !== undefined) return this.#readCall(part, call, events);
    this.#addPart(part);
    const text = asText(part.text);
    const isThought = part.thought === true;
    this.#starts.push(typeof part.text === "string" && !isThought ? this.#length : undefined);
    if (text === undefined) return;
    if (!isThought) this.#length += text.length;
    events.push({ type: isThought ? "thinking" : "text", text });
  }

  /** Appends pieces of one text to the same part; parts with a signature must stay unchanged. */
  #addPart(part: Json): void {
    const last = this.#parts.at(-1);
    if (isPlainText(part) && isPlainText(last) && part.thought === last.thought) {
      last.text += part.text;
    } else if (!isPlainText(part) || part.text !== "") this.#parts.push({ ...part });
  }

  #readCall(part: Json, call: Json, events: StreamEvent[]): void {
    const name = asText(call.name);
    const open = this.#openCalls.find((open) => call.id && open.call.id === call.id) ??
      this.#openCalls.at(-1);
    if (name === undefined && isPartialCall(call)) {
      // An empty call that ends a call in pieces, or a piece without a call.
      if (open === undefined) return;
      addPartialArgs(open.args, call.partialArgs);
      const { functionCall: _, ...fields } = part;
      Object.assign(open.part, fields);
      return;
    }
    const index = this.#calls++;
    const id = asText(call.id) ?? this.#makeId(index);
    this.#starts.push(undefined);
    if (!isPartialCall(call)) {
      this.#parts.push({ ...part });
      events.push({ type: "tool_call", index, id, name, arguments: argumentsOf(call.args) });
      return;
    }
    const { partialArgs, willContinue: _, ...fields } = call;
    const args = { ...asObject(call.args) };
    const whole = { ...fields, args };
    const wholePart: Json = { ...part, functionCall: whole };
    this.#parts.push(wholePart);
    this.#openCalls.push({ index, part: wholePart, call: whole, args });
    addPartialArgs(args, partialArgs);
    events.push({ type: "tool_call", index, id, name, arguments: "" });
  }

  /** Makes an id for a call without one; other providers require unique ids. */
  #makeId(index: number): string {
    const response = (asText(this.raw.responseId) ?? "").replace(/[^\w-]/g, "").slice(0, 24);
    return response === "" ? `call_${index}` : `call_${response}_${index}`;
  }

  #closeCalls(events: StreamEvent[]): void {
    for (const { index, args } of this.#openCalls) {
      events.push({ type: "tool_call", index, arguments: JSON.stringify(args) });
    }
    this.#openCalls = [];
  }
}
