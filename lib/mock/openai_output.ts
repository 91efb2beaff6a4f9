/**
 * The output items of a response, and the events that stream them.
 *
 * Source: OpenAI API reference, "Responses" and "Streaming events", and the types of the `openai` package
 * 7.57.
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import type { Json } from "../json/json.ts";
import type { CannedCitation } from "./canned.ts";
import { textPieces } from "./logprobs.ts";
import type { MockAnswer, MockCall, MockChoice } from "./mock_answer.ts";
import { tokenize } from "./text.ts";

function annotationsOf(citations: readonly CannedCitation[], text: string): Json[] {
  return citations.map(({ url = "", title = "", start = 0, end = text.length }) => ({
    type: "url_citation",
    url,
    title,
    start_index: start,
    end_index: end,
  }));
}

function logprobsOf(logprobs: readonly TokenLogprob[] | undefined): Json[] {
  return (logprobs ?? []).map(({ token, bytes, logprob, topLogprobs = [] }) => ({
    token,
    bytes,
    logprob,
    top_logprobs: topLogprobs,
  }));
}

function partsOf({ text, refusal, citations, logprobs }: MockChoice): Json[] {
  const parts: Json[] = [];
  if (text !== "" || refusal === undefined) {
    parts.push({
      type: "output_text",
      text,
      annotations: annotationsOf(citations, text),
      logprobs: logprobsOf(logprobs),
    });
  }
  if (refusal !== undefined) parts.push({ type: "refusal", refusal });
  return parts;
}

function callItem({ id, name, arguments: input, custom }: MockCall): Json {
  const call_id = `call_${id}`;
  return custom ? { type: "custom_tool_call", id: `ctc_${id}`, call_id, name, input } : {
    type: "function_call",
    id: `fc_${id}`,
    call_id,
    name,
    arguments: input,
    status: "completed",
  };
}

/** The items of an answer: reasoning, a message, calls. */
export function outputOf({ id, choices: [choice] }: MockAnswer): Json[] {
  const output: Json[] = [];
  if (choice.thinking !== "") {
    output.push({
      type: "reasoning",
      id: `rs_${id}`,
      summary: [{ type: "summary_text", text: choice.thinking }],
      encrypted_content: btoa(`reasoning ${id}`),
    });
  }
  if (choice.text !== "" || choice.refusal !== undefined || choice.calls.length === 0) {
    output.push({
      type: "message",
      id: `msg_${id}`,
      role: "assistant",
      status: choice.finish === "length" ? "incomplete" : "completed",
      content: partsOf(choice),
    });
  }
  return [...output, ...choice.calls.map(callItem)];
}

/** An item before any of its content is written. */
export function started(item: Json): Json {
  switch (item.type) {
    case "reasoning":
      return { ...item, summary: [] };
    case "function_call":
      return { ...item, arguments: "", status: "in_progress" };
    case "custom_tool_call":
      return { ...item, input: "" };
    default:
      return { ...item, content: [], status: "in_progress" };
  }
}

function* reasoningEvents(at: Json, text: string): Generator<Json> {
  const place = { ...at, summary_index: 0 };
  const type = "response.reasoning_summary";
  yield { type: `${type}_part.added`, ...place, part: { type: "summary_text", text: "" } };
  for (const delta of tokenize(text)) yield { type: `${type}_text.delta`, ...place, delta };
  yield { type: `${type}_text.done`, ...place, text };
  yield { type: `${type}_part.done`, ...place, part: { type: "summary_text", text } };
}

function* callEvents(at: Json, item: Json): Generator<Json> {
  const [type, field] = item.type === "function_call"
    ? ["response.function_call_arguments", "arguments"]
    : ["response.custom_tool_call_input", "input"];
  const input = String(item[field]);
  for (const delta of tokenize(input)) yield { type: `${type}.delta`, ...at, delta };
  const name = item.type === "function_call" ? { name: item.name } : {};
  yield { type: `${type}.done`, ...at, ...name, [field]: input };
}

function* textEvents(place: Json, part: Json, choice: MockChoice): Generator<Json> {
  const type = "response.output_text";
  for (const { text: delta, logprobs } of textPieces(choice.text, choice.logprobs)) {
    yield { type: `${type}.delta`, ...place, delta, logprobs: logprobsOf(logprobs) };
  }
  for (const [annotation_index, annotation] of (part.annotations as Json[]).entries()) {
    yield { type: `${type}.annotation.added`, ...place, annotation_index, annotation };
  }
  yield { type: `${type}.done`, ...place, text: part.text, logprobs: part.logprobs };
}

function* refusalEvents(place: Json, refusal: string): Generator<Json> {
  for (const delta of tokenize(refusal)) {
    yield { type: "response.refusal.delta", ...place, delta };
  }
  yield { type: "response.refusal.done", ...place, refusal };
}

function* messageEvents(at: Json, choice: MockChoice): Generator<Json> {
  for (const [content_index, part] of partsOf(choice).entries()) {
    const place = { ...at, content_index };
    const empty = part.type === "refusal"
      ? { ...part, refusal: "" }
      : { ...part, text: "", annotations: [], logprobs: [] };
    yield { type: "response.content_part.added", ...place, part: empty };
    yield* part.type === "refusal"
      ? refusalEvents(place, String(part.refusal))
      : textEvents(place, part, choice);
    yield { type: "response.content_part.done", ...place, part };
  }
}

/** The events of one item between its beginning and its end. */
export function itemEvents(
  item: Json,
  output_index: number,
  choice: MockChoice,
): Generator<Json> {
  const at = { item_id: item.id, output_index };
  if (item.type === "reasoning") return reasoningEvents(at, choice.thinking);
  return item.type === "message" ? messageEvents(at, choice) : callEvents(at, item);
}
