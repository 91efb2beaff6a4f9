/**
 * Decodes whole answers for cost and limits, without standing in their way: an answer that flexllm does not
 * understand still belongs to the client.
 *
 * @module
 */
import { FlexLLMError } from "../../../errors.ts";
import { asObject, asText, tryParse } from "../../../json/json.ts";
import { decodeResponse } from "../../../protocols/decode_response.ts";
import type { Completion, Protocol } from "../../../protocols/protocol.ts";
import { redactAnswer } from "../../../redact.ts";
import type { BufferedResponse } from "../../../transport/http.ts";
import type { LaneRequest } from "../../lane.ts";

/** A completion of an answer that could not be decoded, with what is known of it. */
export function unknownCompletion(error: unknown, model = ""): Completion {
  const partial = error instanceof FlexLLMError ? error.partial : undefined;
  const isBlocked = error instanceof FlexLLMError && error.code === "content_blocked";
  return {
    content: partial?.content ?? "",
    thinking: partial?.thinking ?? null,
    refusal: null,
    toolCalls: [],
    usage: partial?.usage ?? null,
    finishReason: isBlocked ? "content_filter" : "other",
    model,
  };
}

/**
 * Whether the client should see an answer although decoding it failed: it is one in this format, not an error
 * object, and another attempt would end the same way. A prompt that Gemini blocks is such an answer.
 */
export function isForClient(protocol: Protocol, body: unknown, error: unknown): boolean {
  const object = asObject(body);
  if (object === undefined || protocol.decodeError(object) !== undefined) return false;
  if (!(error instanceof FlexLLMError)) return true;
  return error.code === "content_blocked" || (!error.retryable && protocol.isAnswer(object));
}

/**
 * Decodes an answer with a successful status.
 *
 * @throws {FlexLLMError} if it is an error, or no answer in this format; without the endpoint's secrets
 */
export function decodeWhole(
  { protocol, endpoint: client }: Pick<LaneRequest, "protocol" | "endpoint">,
  response: BufferedResponse,
): { completion: Completion; raw: unknown } {
  const { endpoint } = client.connection;
  try {
    return decodeResponse(protocol, response, endpoint);
  } catch (error) {
    const raw = tryParse(response.body);
    if (isForClient(protocol, raw, error)) {
      return { completion: unknownCompletion(error, asText(asObject(raw)?.model)), raw };
    }
  }
  const { status, headers, body } = response;
  return decodeResponse(
    protocol,
    redactAnswer({ status, headers, body }, client.secrets),
    endpoint,
  );
}
