/**
 * Translates whole answers from the provider's format to the client's.
 *
 * @module
 */
import { stringifyExact } from "../../../json/json.ts";
import { decodeResponse } from "../../../protocols/decode_response.ts";
import type { Completion } from "../../../protocols/protocol.ts";
import type { ResponseHead, ServerChoice } from "../../../protocols/serve.ts";
import { redactAnswer } from "../../../redact.ts";
import type { BufferedResponse } from "../../../transport/http.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import type { LaneAnswer, LaneRequest } from "../../lane.ts";
import { answerImages } from "./answer_images.ts";
import { carriedMessage, withOrigin } from "./carried_message.ts";
import { ClientTools } from "./client_tools.ts";

/**
 * The identity of an answer. Its model is the requested one: clients compare it with what they asked for, and
 * look up limits and prices by it.
 */
export function headOf({ id, model }: GatewayCall): ResponseHead {
  return { id, model, created: Math.floor(Date.now() / 1000) };
}

/** The answer in the form that the client's format encodes. */
function choiceOf(
  completion: Completion,
  call: GatewayCall,
  request: LaneRequest,
): ServerChoice {
  const { providerMessage, thinking, toolCalls } = completion;
  const tools = new ClientTools(call, request);
  const images = answerImages(providerMessage);
  if (images.length > 0 && !call.server.answersWithImages) call.dropped.add("images");
  const isOwnFormat = providerMessage?.format === call.protocol.name;
  return {
    content: completion.content,
    thinking: call.request.includeThinking ? thinking : null,
    toolCalls: toolCalls.map((each) => tools.clientCall(each)),
    refusal: completion.refusal,
    citations: completion.citations,
    logprobs: completion.logprobs,
    finishReason: completion.finishReason,
    images: isOwnFormat ? undefined : images,
    providerMessage: isOwnFormat ? providerMessage : undefined,
    carried: isOwnFormat
      ? undefined
      : carriedMessage(providerMessage, request, toolCalls.length > 0),
  };
}

/** Decodes an answer. If that fails, decodes a redacted copy, so that the error shows no secrets. */
function decode(request: LaneRequest, response: BufferedResponse) {
  const { protocol, endpoint: { connection, secrets } } = request;
  try {
    return decodeResponse(protocol, response, connection.endpoint);
  } catch {
    return decodeResponse(protocol, redactAnswer(response, secrets), connection.endpoint);
  }
}

/**
 * Translates a whole answer with a successful status.
 *
 * @throws {FlexLLMError} if it is none, or an error object
 */
export function translateAnswer(
  call: GatewayCall,
  request: LaneRequest,
  response: BufferedResponse,
): LaneAnswer {
  const { completion, raw } = decode(request, response);
  const choice = choiceOf(completion, call, request);
  const answer = { ...headOf(call), choices: [choice] as const, usage: completion.usage };
  const body = stringifyExact(call.server.encodeResponse(answer, call.request));
  const providerMessage = withOrigin(completion.providerMessage, request);
  return {
    body,
    completion: { ...completion, toolCalls: choice.toolCalls, providerMessage },
    raw,
  };
}
