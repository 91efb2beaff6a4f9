/**
 * Encodes a call for an endpoint that speaks another format than the client.
 *
 * @module
 */
import type { Message } from "../../../chat/messages.ts";
import type { SamplingOptions } from "../../../chat/options.ts";
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { ConfigurationError, FlexLLMError, InvalidInputError } from "../../../errors.ts";
import { asObject, asObjects } from "../../../json/json.ts";
import { pathOf } from "../../../protocols/source_path.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { GatewayError } from "../../gateway_error.ts";
import type { LaneRequest } from "../../lane.ts";
import { applyFieldRules, unsupportedField } from "./fields/field_rules.ts";
import { FIELD_RULES, fieldOf, optionIn } from "./fields/client_fields.ts";
import { checkHistory } from "./fields/history_rules.ts";
import { MessageRewriter } from "./messages.ts";
import { type History, JSON_INSTRUCTION, needsJsonInstruction, sentOptions } from "./options.ts";
import { withSystemMessages } from "./system_messages.ts";
import { type Target, targetOf } from "./target.ts";
import { type Located, withResultsInOrder } from "./tool_results.ts";
import { ToolNames } from "./tool_names.ts";
import { ownTools, sentChoice, sentTools } from "./tools.ts";

/** A request, rewritten for one endpoint. */
interface Rewritten {
  messages: readonly Located[];
  options: SamplingOptions;
}

function hasMark(value: unknown): boolean {
  return asObject(value)?.cache_control !== undefined;
}

/** What the options depend on in the conversation. */
function historyOf(messages: readonly Located[]): History {
  const last = messages.findLast(({ message }) => message.role === "assistant")?.message;
  const isToolLoop = messages.at(-1)?.message.role === "tool";
  return {
    isContinued: last !== undefined,
    hasCacheMarks: messages.some(({ message }) =>
      hasMark(message) || Array.isArray(message.content) && message.content.some(hasMark)
    ),
    lacksThinking: isToolLoop && last?.role === "assistant" &&
      !asObjects(last.providerMessage?.content).some(({ type }) => /thinking/.test(String(type))),
  };
}

function withJsonInstruction(messages: readonly Located[]): readonly Located[] {
  return [{ message: { role: "system", content: JSON_INSTRUCTION }, path: "" }, ...messages];
}

function rewrite(call: GatewayCall, target: Target): Rewritten {
  const { request, dropped, protocol: { name: client } } = call;
  const { body, chat: { options } } = request;
  const own = ownTools(options.tools ?? [], body, dropped);
  const names = new ToolNames(target, own);
  const choice = sentChoice(options.toolChoice, own, names, target, client);
  const rewriter = new MessageRewriter(target, names, dropped);
  const located: Located[] = [];
  for (const [i, given] of request.chat.messages.entries()) {
    const path = pathOf(given) ?? `messages[${i}]`;
    const message = rewriter.rewrite(given, path);
    if (message !== undefined) located.push({ message, path });
  }
  const ordered = withSystemMessages(withResultsInOrder(located, target), target);
  const messages = needsJsonInstruction(options, target, client)
    ? withJsonInstruction(ordered)
    : ordered;
  const history = historyOf(messages);
  const sent = sentOptions(request, target, choice.toolChoice, history, client, dropped);
  if (choice.tools.length > 0) {
    sent.tools = sentTools(choice.tools, names, target, dropped);
    if (choice.toolChoice !== undefined) sent.toolChoice = choice.toolChoice;
  } else if (sent.parallelToolCalls !== undefined) delete sent.parallelToolCalls;
  return { messages, options: sent };
}

/** Whether encoding `messages` alone fails with the same message. */
function failsWith(error: Error, messages: readonly Message[], target: Target): boolean {
  try {
    target.endpoint.encode(messages, { model: target.model }, false);
    return false;
  } catch (other) {
    return (other as Error).message === error.message;
  }
}

/** The client's field of the message, or of its part, that an encoder refuses. */
function fieldOfMessage(
  error: Error,
  messages: readonly Located[],
  target: Target,
): string | undefined {
  for (const { message, path } of messages) {
    if (message.role === "tool" || !failsWith(error, [message], target)) continue;
    if (!Array.isArray(message.content)) return path;
    for (const [i, part] of message.content.entries()) {
      const alone = { ...message, content: [part] } as Message;
      if (failsWith(error, [alone], target)) return pathOf(part) ?? `${path}.content[${i}]`;
    }
    return path;
  }
  return undefined;
}

/** The error of an encoder, which names our options, as one that names the client's field. */
function clientError(
  error: unknown,
  call: GatewayCall,
  { messages }: Rewritten,
  target: Target,
): unknown {
  const isRefusal = error instanceof ConfigurationError || error instanceof InvalidInputError;
  if (error instanceof GatewayError || !isRefusal) return error;
  const { message, hint } = error;
  const format = call.protocol.name;
  const option = optionIn(message);
  const param = fieldOfMessage(error, messages, target) ??
    (option === undefined ? undefined : fieldOf(option, format));
  const text = option === undefined || param === undefined
    ? message
    : message.replaceAll(new RegExp(`\\b${option}\\b`, "g"), param);
  // Hints are about the options of the library; these are the client's.
  const isOwnHint = hint !== undefined && optionIn(hint) === undefined;
  return new GatewayError(400, text, {
    reason: "unsupported",
    param,
    hint: isOwnHint ? hint : undefined,
    cause: error,
  });
}

/** The error for a body that does not fit the client's format, in the words of its API where possible. */
function malformed(call: GatewayCall, cause: unknown): GatewayError {
  const reason = "invalid_request";
  try {
    const problem = call.server.validate(call.request.body, call.context);
    if (problem !== undefined) {
      return new GatewayError(400, problem.message, { reason, param: problem.param, cause });
    }
  } catch {
    // The body does not even fit the checks.
  }
  return new GatewayError(400, "the request does not fit its format", {
    reason,
    cause,
    hint: "Check that each field has the type that the API's reference gives.",
  });
}

function encode(call: GatewayCall, endpoint: EndpointClient): LaneRequest {
  const { request, dropped } = call;
  const model = endpoint.model ?? request.chat.model;
  const formatOf = ({ messages, options }: Rewritten) =>
    endpoint.protocolOf({
      messages: messages.map(({ message }) => message),
      options: { ...options, model },
      stream: call.stream,
    });
  const { thinking } = request.chat.options;
  const first = endpoint.protocolOf({
    messages: [],
    options: { model, thinking, tools: functionsOf(request.chat.options) },
    stream: call.stream,
  });
  let target = targetOf(endpoint, first, model);
  checkBody(call, target.who);
  let rewritten = rewrite(call, target);
  // The messages may need another of the service's formats.
  const needed = formatOf(rewritten);
  if (needed !== first) {
    target = targetOf(endpoint, needed, model);
    rewritten = rewrite(call, target);
  }
  if (call.headers.has("anthropic-beta")) dropped.add("anthropic-beta");
  const messages = rewritten.messages.map(({ message }) => message);
  if (messages.length === 0) throw malformed(call, undefined);
  const options = { ...rewritten.options, model };
  try {
    const { provider, encoded } = endpoint.encode(messages, options, call.stream);
    const isThinkingRequested = Boolean(options.thinking);
    return { endpoint, protocol: provider, model, encoded, isThinkingRequested };
  } catch (error) {
    throw clientError(error, call, rewritten, target);
  }
}

/**
 * Encodes a call for `endpoint`. What is left out is added to the call's `dropped`.
 *
 * @throws {GatewayError} that names what the endpoint's format or model cannot carry
 */
export function encodeTranslated(call: GatewayCall, endpoint: EndpointClient): LaneRequest {
  try {
    return encode(call, endpoint);
  } catch (error) {
    // Decoders and encoders rely on the types of fields, which nothing has checked.
    throw error instanceof FlexLLMError ? error : malformed(call, error);
  }
}

function functionsOf({ tools }: SamplingOptions): SamplingOptions["tools"] {
  return tools?.filter(({ type }) => type === "function" || type === "custom");
}

/** Applies the rules for the fields of the client's format. */
function checkBody(call: GatewayCall, who: string): void {
  const { protocol: { name }, request: { body }, dropped } = call;
  const rules = FIELD_RULES[name];
  if (rules === undefined) {
    throw unsupportedField("", `no rules for requests in the format ${name}`);
  }
  applyFieldRules(body, rules, who, dropped);
  for (const item of Array.isArray(body.include) ? body.include : []) {
    const isCarried = item === "reasoning.encrypted_content" ||
      item === "message.output_text.logprobs";
    if (!isCarried) dropped.add(`include[].${item}`);
  }
  checkHistory(name, body, who, dropped);
}
