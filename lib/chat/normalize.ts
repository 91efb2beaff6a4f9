/**
 * Normalizes what callers may write in several ways: tool calls in earlier messages, and the tools of a
 * call.
 *
 * @module
 */
import { asObject, asText, type Json } from "../json/json.ts";
import type { AssistantMessage, Message } from "./messages.ts";
import type { SamplingOptions, ToolChoice } from "./options.ts";
import type { ToolCall } from "./tool_call.ts";
import { show } from "./show.ts";
import { partsOf } from "./tool_call.ts";

function isNormalCall({ id, type, function: fn }: ToolCall): boolean {
  return typeof id === "string" && typeof type === "string" &&
    typeof fn?.arguments === "string";
}

function textOf(args: unknown): string {
  return typeof args === "string" ? args : JSON.stringify(args ?? {});
}

/** The ids that the tool messages right after message `i` answer, without those in `taken`. */
function answeredIds(messages: readonly Message[], i: number, taken: Set<unknown>): string[] {
  const ids: string[] = [];
  for (let j = i + 1; j < messages.length; j++) {
    const message = messages[j];
    if (message.role !== "tool") break;
    if (!taken.has(message.tool_call_id)) ids.push(message.tool_call_id);
  }
  return ids;
}

function normalizeCalls(messages: readonly Message[], i: number, calls: readonly ToolCall[]) {
  const ids = answeredIds(messages, i, new Set(calls.map(({ id }) => id)));
  return calls.map((call, k): ToolCall => {
    if (isNormalCall(call)) return call;
    const { name, arguments: args, input, custom, ...rest } = call as ToolCall & Json;
    const parts = partsOf({ ...rest, name, arguments: args, input, custom });
    return {
      ...rest,
      // Without an id, the calls are answered in their order.
      id: call.id ?? ids.shift() ?? `call_${i}_${k}`,
      type: call.type ?? (custom === undefined ? "function" : "custom"),
      function: { ...call.function, name: String(parts.name), arguments: textOf(parts.args) },
    };
  });
}

function isNormal(message: Message): boolean {
  if (message.role !== "assistant") return true;
  const { tool_calls: calls } = message;
  return calls === undefined || (calls !== null && calls.length > 0 && calls.every(isNormalCall));
}

/**
 * The messages with their tool calls in OpenAI's form; the same array if nothing changes, which is the
 * usual case.
 */
export function normalizeMessages(messages: readonly Message[]): readonly Message[] {
  if (messages.every(isNormal)) return messages;
  return messages.map((message, i) => {
    if (isNormal(message)) return message;
    const { tool_calls: calls, ...rest } = message as AssistantMessage;
    // OpenAI refuses an empty list.
    if (!calls?.length) return rest;
    return { ...rest, tool_calls: normalizeCalls(messages, i, calls) };
  });
}

const CHOICES: readonly unknown[] = ["none", "auto", "required"];

function namedFunction(value: unknown): string | undefined {
  const choice = asObject(value);
  if (choice?.type !== "function") return undefined;
  return asText(asObject(choice.function)?.name ?? choice.name);
}

function isAllowedTools(choice: Json): boolean {
  const allowed = asObject(choice.allowed_tools);
  return choice.type === "allowed_tools" && Array.isArray(allowed?.tools) &&
    (allowed.mode === "auto" || allowed.mode === "required");
}

/** What is wrong with a tool choice, if anything. */
export function toolChoiceProblem(choice: unknown): string | undefined {
  if (choice === undefined || CHOICES.includes(choice)) return undefined;
  const object = asObject(choice);
  if (object !== undefined && (namedFunction(object) !== undefined || isAllowedTools(object))) {
    return undefined;
  }
  return 'toolChoice: expected "none", "auto", "required", {"type": "function", "function": ' +
    `{"name"}} or {"type": "allowed_tools", …}, got ${show(choice)}`;
}

/** The options without an empty list of tools, and with the tool choice in OpenAI's form. */
export function normalizeOptions<T extends SamplingOptions>(options: T): T {
  const { tools, toolChoice } = options;
  const isEmpty = tools?.length === 0;
  const isFlat = typeof toolChoice === "object" && toolChoice.type === "function" &&
    toolChoice.function === undefined;
  if (!isEmpty && !isFlat) return options;
  const normal = { ...options };
  if (isEmpty) delete normal.tools;
  // It only concerns tools; a required tool call is still an error.
  if (isEmpty && (toolChoice === "auto" || toolChoice === "none")) delete normal.toolChoice;
  if (isFlat) {
    const name = namedFunction(toolChoice)!;
    normal.toolChoice = { type: "function", function: { name } } satisfies ToolChoice;
  }
  return normal;
}
