/**
 * Writes answers of the response cache in the format of the client.
 *
 * @module
 */
import { eventsOf } from "../../../chat/events.ts";
import type { ChatResult } from "../../../chat/result.ts";
import { stringifyExact } from "../../../json/json.ts";
import { type Envelope, needsEnvelope, writeEnvelope } from "../../../protocols/envelope.ts";
import { SERVER_SENT_EVENTS } from "../../../protocols/event_framing.ts";
import type { ServerChoice, ServerEvent } from "../../../protocols/serve.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { answerImages } from "./answer_images.ts";
import { callExtrasOf } from "./carried_message.ts";
import { headOf } from "./translate_answer.ts";

/** A stored answer as the client's format encodes it. The message of a translated answer has its origin. */
function choiceOf(call: GatewayCall, result: ChatResult): ServerChoice {
  const { providerMessage } = result.message;
  const isOwnFormat = providerMessage?.format === call.protocol.name;
  const { origin } = (providerMessage ?? {}) as Partial<Envelope>;
  const needed = providerMessage !== undefined && origin !== undefined &&
    needsEnvelope(providerMessage, result.toolCalls.length > 0);
  return {
    ...result,
    thinking: call.request.includeThinking ? result.thinking : null,
    images: isOwnFormat ? undefined : answerImages(providerMessage),
    providerMessage: isOwnFormat ? providerMessage : undefined,
    carried: needed && !isOwnFormat
      ? {
        envelope: writeEnvelope(providerMessage, origin),
        callExtras: callExtrasOf(providerMessage),
      }
      : undefined,
  };
}

/**
 * Whether a stored answer can be given to the client as it was. A stream cannot repeat the signatures of its own
 * format, without which the provider would refuse the next turn.
 */
export function isRepeatable(call: GatewayCall, { message, toolCalls }: ChatResult): boolean {
  const { providerMessage } = message;
  return !call.stream || providerMessage?.format !== call.protocol.name ||
    !needsEnvelope(providerMessage, toolCalls.length > 0);
}

/** The body of a stored answer, plain or streamed. */
export function storedBody(call: GatewayCall, result: ChatResult): string {
  const choice = choiceOf(call, result);
  const { server, request } = call;
  const { usage } = result;
  if (!call.stream) {
    const response = { ...headOf(call), choices: [choice] as const, usage };
    return stringifyExact(server.encodeResponse(response, request));
  }
  const encoder = server.streamEncoder(headOf(call), request);
  const content = eventsOf({ ...choice, usage }).filter(({ type }) => type !== "finish");
  const events: ServerEvent[] = encoder.push(content);
  if (choice.images?.length) events.push(...encoder.images?.(choice.images) ?? []);
  if (choice.carried !== undefined) events.push(...encoder.carry(choice.carried));
  events.push(...encoder.push([{ type: "finish", finishReason: choice.finishReason }]));
  events.push(...encoder.end());
  const { framing = SERVER_SENT_EVENTS } = call.context;
  return events.map((event, i) => framing.frame(event, i === 0)).join("") + framing.end;
}
