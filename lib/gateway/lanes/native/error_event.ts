/**
 * Encodes the event that ends a stream with an error.
 *
 * Sources: Anthropic API reference, "Streaming messages" (`event: error`); OpenAI API reference, "Responses ›
 * Streaming events" (`error`); the stream readers of the `openai` package and `@google/genai`, which throw for
 * events with a field `error`.
 *
 * @module
 */
import type { FlexLLMError } from "../../../errors.ts";
import { HttpError } from "../../../errors.ts";
import { asObject, type Json } from "../../../json/json.ts";
import type { ServerEvent } from "../../../protocols/serve.ts";
import type { GatewayCall } from "../../gateway_call.ts";

function statusOf(error: FlexLLMError): number {
  if (error instanceof HttpError && error.status >= 400) return error.status;
  return error.code === "timeout" ? 504 : error.code === "aborted" ? 503 : 502;
}

/** The event that reports `error` in the format of the client. */
export function errorEvent(
  { server, protocol, id }: Pick<GatewayCall, "server" | "protocol" | "id">,
  error: FlexLLMError,
): ServerEvent {
  const { message } = error;
  const body = server.encodeError({ status: statusOf(error), message }, id).body as Json;
  switch (protocol.name) {
    case "claude":
      return { event: "error", data: JSON.stringify(body) };
    case "responses": {
      // Documented are flat fields; the API and the clients also know the nested ones.
      const { code, param } = asObject(body.error) ?? {};
      const event = { type: "error", code, message, param, ...body };
      return { event: "error", data: JSON.stringify(event) };
    }
    default:
      return { data: JSON.stringify(body) };
  }
}
