/**
 * Accepts bodies of the Responses API on the path of Chat Completions. Cursor sends them there and expects a
 * chat completion in return.
 *
 * @module
 */
import { FlexLLMError } from "../../errors.ts";
import { asObject, type Json } from "../../json/json.ts";
import { openaiChat } from "../../protocols/openai_chat/openai_chat.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { Service } from "../../protocols/service.ts";
import { GatewayError } from "../gateway_error.ts";

/** OpenAI's own dialect, which clients of that path speak. */
const SERVICE: Service = { name: "openai", baseUrl: "", thinking: "effort" };
const ENDPOINT: Endpoint = {
  baseUrl: "http://gateway.invalid/v1",
  apiKey: undefined,
  headers: {},
  service: SERVICE,
};

/** Fields about storing the answer, or about what Responses adds to it: Chat Completions has none of that. */
const DROPPED = ["include", "truncation", "background", "conversation", "text", "reasoning"];

/** Whether the body of a request for a chat completion is one for a response. */
export function isResponsesBody(body: Json): boolean {
  return body.messages === undefined && body.input !== undefined && body.input !== null;
}

function invalid(message: string, param: string, cause?: unknown): GatewayError {
  return new GatewayError(400, message, { reason: "invalid_request", param, cause });
}

/**
 * Converts a body of the Responses API to Chat Completions. Returns it with the names of the fields that were
 * left out.
 *
 * @throws {GatewayError} 400 if Chat Completions cannot express it
 */
export async function asChatBody(body: Json): Promise<{ body: Json; dropped: string[] }> {
  if (typeof body.previous_response_id === "string") {
    throw invalid(
      "a chat completion cannot continue a stored response; use /v1/responses",
      "previous_response_id",
    );
  }
  const { responsesServer } = await import("../../protocols/openai_responses/serve.ts");
  try {
    const { chat } = responsesServer.decodeRequest(body, { operation: "chat" });
    const encoded = openaiChat.encoder(ENDPOINT)({ ...chat, stream: body.stream === true });
    const chatBody = asObject(JSON.parse(encoded.body ?? "{}"))!;
    const dropped = DROPPED.filter((name) => chatBody[name] !== undefined);
    for (const name of dropped) delete chatBody[name];
    // Whether a stream ends with its token counts is the client's choice.
    if (body.stream_options === undefined) delete chatBody.stream_options;
    return { body: chatBody, dropped };
  } catch (error) {
    const reason = error instanceof FlexLLMError
      ? error.message
      : "it does not fit the Responses API";
    throw invalid(`the input cannot be sent as a chat completion: ${reason}`, "input", error);
  }
}
