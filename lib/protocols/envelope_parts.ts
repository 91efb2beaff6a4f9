/**
 * Takes envelopes out of the parts of an assistant message that a client sends back.
 *
 * @module
 */
import type { ProviderMessage } from "../chat/messages.ts";
import type { Json } from "../json/json.ts";
import { isEnvelope, readEnvelope } from "./envelope.ts";

/**
 * Splits the parts of a message into its own and the provider's message in an envelope. A damaged envelope is
 * dropped. The provider message has the origin of its envelope: only that endpoint may receive it.
 *
 * @param dataOf the opaque field of a part
 * @param restOf what else a part with an envelope contains, if anything
 */
export function readEnvelopes(
  given: readonly Json[],
  dataOf: (part: Json) => unknown,
  restOf: (part: Json) => Json | undefined = () => undefined,
): { parts: readonly Json[]; providerMessage?: ProviderMessage } {
  if (!given.some((part) => isEnvelope(dataOf(part)))) return { parts: given };
  const parts: Json[] = [];
  let providerMessage: ProviderMessage | undefined;
  for (const part of given) {
    const data = dataOf(part);
    if (isEnvelope(data)) providerMessage = readEnvelope(data) ?? providerMessage;
    const rest = isEnvelope(data) ? restOf(part) : part;
    if (rest !== undefined) parts.push(rest);
  }
  return { parts, providerMessage };
}
