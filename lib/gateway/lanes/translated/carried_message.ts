/**
 * Chooses what of a provider's message a client of another format has to send back.
 *
 * @module
 */
import type { ProviderMessage } from "../../../chat/messages.ts";
import { asObject, asObjects, asText, type Json } from "../../../json/json.ts";
import {
  type Envelope,
  envelopeOrigin,
  needsEnvelope,
  writeEnvelope,
} from "../../../protocols/envelope.ts";
import type { CarriedMessage } from "../../../protocols/serve.ts";
import type { LaneRequest } from "../../lane.ts";

/**
 * Gemini's signatures in the form of its OpenAI-compatible API, whose clients keep them even if they don't know
 * `reasoning_details`.
 */
export function callExtrasOf(
  message: ProviderMessage | undefined,
): (Json | undefined)[] | undefined {
  if (message?.format !== "gemini") return undefined;
  const { content } = message;
  const calls = asObjects(content).filter((part) => asObject(part.functionCall) !== undefined);
  return calls.map(({ thoughtSignature }) =>
    asText(thoughtSignature) === undefined
      ? undefined
      : { extra_content: { google: { thought_signature: thoughtSignature } } }
  );
}

/** The message with its origin, so that a stored answer can also be sent back to its provider. */
export function withOrigin(
  message: ProviderMessage | undefined,
  { endpoint, model }: LaneRequest,
): Envelope | undefined {
  return message && { ...message, origin: envelopeOrigin(endpoint.name, model) };
}

/** What the provider of `request` needs back; `undefined` if its text and tool calls are enough. */
export function carriedMessage(
  message: ProviderMessage | undefined,
  { endpoint, model }: LaneRequest,
  hasToolCalls: boolean,
): CarriedMessage | undefined {
  if (message === undefined || !needsEnvelope(message, hasToolCalls)) return undefined;
  return {
    envelope: writeEnvelope(message, envelopeOrigin(endpoint.name, model)),
    callExtras: callExtrasOf(message),
  };
}
