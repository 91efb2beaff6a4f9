/**
 * Puts the results of tool calls right after their calls, in the order of the calls, as every API but
 * Responses requires, and makes the ids of calls valid and unique.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type {
  AssistantMessage,
  ContentPart,
  Message,
  ToolMessage,
} from "../../../chat/messages.ts";
import type { ToolCall } from "../../../chat/tool_call.ts";
import { unsupportedField } from "./fields/field_rules.ts";
import type { Target } from "./target.ts";

/** A message and the client's field that it comes from. */
export interface Located<T extends Message = Message> {
  message: T;
  path: string;
}

/** Makes call ids valid: the same id becomes the same id in every turn. */
class CallIds {
  readonly #target: Target;
  readonly #taken = new Set<string>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** A valid id that no other call of the conversation has. */
  next(id: string): string {
    for (let attempt = 0;; attempt++) {
      const valid = this.#valid(attempt === 0 ? id : `${id}#${attempt}`);
      if (this.#taken.has(valid)) continue;
      this.#taken.add(valid);
      return valid;
    }
  }

  #valid(id: string): string {
    const { pattern, maxLength } = this.#target.callIds;
    if (id !== "" && id.length <= maxLength && pattern.test(id)) return id;
    const hash = createHash("sha256").update(id).digest("hex");
    return maxLength < 20 ? hash.slice(0, maxLength) : `call_${hash.slice(0, 24)}`;
  }
}

/** The results by the id of their call, in order. */
function resultsOf(messages: readonly Located[]): Map<string, number[]> {
  const results = new Map<string, number[]>();
  for (const [i, { message }] of messages.entries()) {
    if (message.role !== "tool") continue;
    const found = results.get(message.tool_call_id);
    if (found === undefined) results.set(message.tool_call_id, [i]);
    else found.push(i);
  }
  return results;
}

/**
 * Moves images and documents out of tool results into a user message after them, for APIs that accept only
 * text in results.
 */
function withoutMedia(results: readonly Located<ToolMessage>[]): Located[] {
  const media: ContentPart[] = [];
  const texts = results.map((result): Located => {
    const { message } = result;
    const { content } = message;
    if (typeof content === "string") return result;
    const others = content.filter(({ type }) => type !== "text");
    const lines = content.map((part) => part.type === "text" ? part.text : "").filter(Boolean);
    if (others.length > 0) {
      lines.push("The content is in the user's next message.");
      media.push({ type: "text", text: `Result of the tool call ${message.tool_call_id}:` });
      media.push(...others);
    }
    return { ...result, message: { ...message, content: lines.join("\n") } };
  });
  if (media.length === 0) return texts;
  return [...texts, { message: { role: "user", content: media }, path: results[0].path }];
}

/**
 * Orders results after their calls.
 *
 * @throws {GatewayError} for a result without a call
 */
export function withResultsInOrder(messages: readonly Located[], target: Target): Located[] {
  if (!messages.some(({ message }) => message.role === "tool" || hasCalls(message))) {
    return [...messages];
  }
  const results = resultsOf(messages);
  const ids = new CallIds(target);
  const placed = new Set<number>();
  const ordered: Located[] = [];
  for (const [i, { message, path }] of messages.entries()) {
    if (message.role === "tool") continue;
    if (message.role !== "assistant" || !hasCalls(message)) {
      ordered.push(messages[i]);
      continue;
    }
    const found: Located<ToolMessage>[] = [];
    // The provider's own message has the provider's own ids.
    const isOwn = message.providerMessage !== undefined;
    const tool_calls = message.tool_calls!.map((call): ToolCall => {
      const id = isOwn ? call.id : ids.next(call.id);
      const at = results.get(call.id)?.find((result) => result > i && !placed.has(result));
      if (at !== undefined) {
        placed.add(at);
        const result = messages[at] as Located<ToolMessage>;
        found.push({ ...result, message: { ...result.message, tool_call_id: id } });
      }
      return { ...call, id };
    });
    ordered.push({ path, message: { ...message, tool_calls } });
    ordered.push(...target.resultMedia ? found : withoutMedia(found));
  }
  for (const [i, { message, path }] of messages.entries()) {
    if (message.role !== "tool" || placed.has(i)) continue;
    throw unsupportedField(
      path,
      `${path}: no earlier message has a tool call with the id ${message.tool_call_id}`,
      "Send the call before its result, with the same id.",
    );
  }
  return ordered;
}

function hasCalls(message: Message): message is AssistantMessage {
  return message.role === "assistant" && (message.tool_calls?.length ?? 0) > 0;
}
