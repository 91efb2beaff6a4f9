/**
 * Normalizes messages and options that can be written in several forms.
 *
 * @module
 */
import { asObject, asText, type Json } from "../json/json.ts";
import type { AssistantMessage, Message, ProviderMessage } from "./messages.ts";
import type {
  AnyResponseFormat,
  FunctionTool,
  ResponseFormat,
  SamplingOptions,
  Tool,
  ToolChoice,
} from "./options.ts";
import { isFunctionTool } from "./options.ts";
import { formatOf, jsonSchemaOf } from "./schema_conversion.ts";
import { show } from "./show.ts";
import { isStandardSchema } from "./standard_schema.ts";
import type { ToolCall } from "./tool_call.ts";
import { partsOf } from "./tool_call.ts";

/** The name that `providerMessage` had in version 0.1. */
export const LEGACY_PROVIDER_MESSAGE = "native";

/** An assistant message as version 0.1 wrote it to conversations and batch inputs. */
type LegacyMessage = AssistantMessage & { [LEGACY_PROVIDER_MESSAGE]?: ProviderMessage };

function isNormalCall({ id, type, function: fn }: ToolCall): boolean {
  return typeof id === "string" && typeof type === "string" &&
    typeof fn?.arguments === "string";
}

function argumentsText(args: unknown): string {
  return typeof args === "string" ? args : JSON.stringify(args ?? {});
}

/** The ids that the tool messages right after message `i` answer, except those in `taken`. */
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
      // Calls without an id are answered in order.
      id: call.id ?? ids.shift() ?? `call_${i}_${k}`,
      type: call.type ?? (custom === undefined ? "function" : "custom"),
      function: {
        ...call.function,
        name: String(parts.name),
        arguments: argumentsText(parts.args),
      },
    };
  });
}

function isNormal(message: Message): boolean {
  if (message.role !== "assistant") return true;
  if (LEGACY_PROVIDER_MESSAGE in message) return false;
  const { tool_calls: calls } = message;
  return calls === undefined || (calls !== null && calls.length > 0 && calls.every(isNormalCall));
}

/** An assistant message with `native`, the field's name in version 0.1, as `providerMessage`. */
export function withProviderMessage(message: AssistantMessage): AssistantMessage {
  if (!(LEGACY_PROVIDER_MESSAGE in message)) return message;
  const { [LEGACY_PROVIDER_MESSAGE]: native, ...rest } = message as LegacyMessage;
  return native === undefined ? rest : { providerMessage: native, ...rest };
}

function isLegacy(message: unknown): boolean {
  const fields = asObject(message);
  return fields?.role === "assistant" && LEGACY_PROVIDER_MESSAGE in fields;
}

/**
 * Messages, which are not validated yet, with `providerMessage` for the `native` of version 0.1. Returns
 * the same value if nothing changes, which is the usual case.
 */
export function withProviderMessages(messages: unknown): unknown {
  if (!Array.isArray(messages) || !messages.some(isLegacy)) return messages;
  return messages.map((message) => isLegacy(message) ? withProviderMessage(message) : message);
}

/**
 * Brings tool calls into OpenAI's form and renames the fields of version 0.1. Returns the same array if
 * nothing changes, which is the usual case.
 */
export function normalizeMessages(messages: readonly Message[]): readonly Message[] {
  if (messages.every(isNormal)) return messages;
  return messages.map((message, i) => {
    if (message.role !== "assistant" || isNormal(message)) return message;
    const { tool_calls: calls, ...rest } = withProviderMessage(message);
    // OpenAI rejects an empty list.
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

function hasStandardSchema(tool: Tool): tool is FunctionTool {
  return isFunctionTool(tool) && isStandardSchema(tool.function.parameters);
}

function withJsonSchema(tool: Tool, i: number): Tool {
  if (!isFunctionTool(tool)) return tool;
  const { parameters } = tool.function;
  if (!isStandardSchema(parameters)) return tool;
  const schema = jsonSchemaOf(parameters, `tools[${i}].function.parameters`);
  return { ...tool, function: { ...tool.function, parameters: schema } };
}

/**
 * Converts the Standard Schemas in options to JSON Schema. Returns the same object if there are none.
 *
 * @throws {ConfigurationError} if a schema cannot be converted
 */
export function withJsonSchemas<T extends SamplingOptions<AnyResponseFormat>>(
  options: T,
): T & { responseFormat?: ResponseFormat } {
  const { tools, responseFormat } = options;
  const hasFormatSchema = isStandardSchema(responseFormat);
  const hasToolSchemas = tools?.some(hasStandardSchema) ?? false;
  if (!hasFormatSchema && !hasToolSchemas) {
    return options as T & { responseFormat?: ResponseFormat };
  }
  const converted = { ...options };
  if (hasToolSchemas) converted.tools = tools!.map(withJsonSchema);
  if (hasFormatSchema) converted.responseFormat = formatOf(responseFormat);
  return converted as T & { responseFormat?: ResponseFormat };
}

/**
 * Drops an empty list of tools, brings the tool choice into OpenAI's form, and converts Standard Schemas
 * to JSON Schema. Returns the same object if nothing changes.
 *
 * @throws {ConfigurationError} if a schema cannot be converted
 */
export function normalizeOptions<T extends SamplingOptions<AnyResponseFormat>>(
  options: T,
): T & { responseFormat?: ResponseFormat } {
  const converted = withJsonSchemas(options);
  const { tools, toolChoice } = converted;
  const isEmpty = tools?.length === 0;
  const isFlat = typeof toolChoice === "object" && toolChoice.type === "function" &&
    toolChoice.function === undefined;
  if (!isEmpty && !isFlat) return converted;
  const normal = { ...converted };
  if (isEmpty) delete normal.tools;
  // Meaningless without tools; a required tool call is still an error.
  if (isEmpty && (toolChoice === "auto" || toolChoice === "none")) delete normal.toolChoice;
  if (isFlat) {
    const name = namedFunction(toolChoice)!;
    normal.toolChoice = { type: "function", function: { name } } satisfies ToolChoice;
  }
  return normal;
}
