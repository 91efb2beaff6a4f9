/**
 * Decodes the rows that a provider's batch API returns: the answers and errors of live calls, without HTTP around
 * them.
 *
 * @module
 */
import type { RowResult } from "../batch_api/batch_api.ts";
import type { FlexLLMError } from "../errors.ts";
import { asObject, stringifyExact, withDoubles } from "../json/json.ts";
import { decodeBody } from "../protocols/decode_response.ts";
import type { Protocol, ProviderError } from "../protocols/protocol.ts";
import { PROTOCOLS } from "../protocols/registry.ts";
import { embeddedError, statusError } from "../protocols/response_error.ts";
import { redact } from "../redact.ts";
import type { Answered, EndpointClient } from "./endpoint_client.ts";

/** The wire format of an answer: usually the request's, but xAI answers Responses as Chat Completions. */
function formatOf(protocol: Protocol, body: unknown): Protocol {
  const object = asObject(body);
  if (object === undefined || protocol.isAnswer(object)) return protocol;
  return PROTOCOLS.find((other) => other.isAnswer(object)) ?? protocol;
}

/** A copy of a body in which no secret of the endpoint can be read. */
function redacted(body: unknown, { secrets }: EndpointClient): unknown {
  return JSON.parse(redact(stringifyExact(body) ?? "null", ...secrets));
}

/**
 * Decodes the body of an answer.
 *
 * @param body as {@link Protocol.decode} expects it
 * @throws {FlexLLMError} if it is an error, or does not fit the format
 */
export function answerOf(protocol: Protocol, endpoint: EndpointClient, body: unknown): Answered {
  const format = formatOf(protocol, body);
  const raw = format.exactNumbers ? withDoubles(body) : body;
  const server = endpoint.connection.endpoint;
  try {
    return { completion: decodeBody(format, body, raw, server), raw };
  } catch {
    // Fails again, with an error that shows no secrets.
    const safe = redacted(body, endpoint);
    return { completion: decodeBody(format, safe, safe, server), raw };
  }
}

/** The fields of an error body; some APIs return it without its envelope, or as text. */
function errorOf(protocol: Protocol, body: unknown): ProviderError | undefined {
  if (typeof body === "string") return { message: body };
  return protocol.decodeError(body) ?? protocol.decodeError({ error: body });
}

/** The error of a row that failed: the one that a live call would have thrown. */
export function rowError(
  protocol: Protocol,
  endpoint: EndpointClient,
  { status, body }: Extract<RowResult, { kind: "error" }>,
): FlexLLMError {
  const safe = redacted(body, endpoint);
  const error = errorOf(protocol, safe);
  const server = endpoint.connection.endpoint;
  // A row can fail with a status of 200, and one without an error object has at least its text.
  if (status !== undefined && status >= 300) {
    const text = typeof safe === "string" ? safe : JSON.stringify(safe);
    return statusError(status, new Headers(), text, error, server);
  }
  return embeddedError(error ?? { message: JSON.stringify(safe) }, undefined, undefined, server);
}
