/**
 * The native lane: client and endpoint speak the same format, so bodies pass through unchanged but for the
 * model and the key. Answers are decoded on the side, for cost, limits and failover.
 *
 * @module
 */
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { asObject, asText } from "../../../json/json.ts";
import { parseEventStream } from "../../../transport/event_stream.ts";
import type { BufferedResponse } from "../../../transport/http.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { GatewayError } from "../../gateway_error.ts";
import type { Lane, LaneAnswer, LaneRequest, LaneStream } from "../../lane.ts";
import { headersToClient } from "./client_headers.ts";
import { modelAt, nativeRequest } from "./native_request.ts";
import { NativeStream } from "./native_stream.ts";
import { streamAsWhole } from "./other_form.ts";
import { decodeWhole } from "./whole_answer.ts";

export { isNative } from "./native_request.ts";

/** Whether a body of Chat Completions requests thinking: some servers then leave out the opening tag. */
function requestsThinking({ protocol, body }: GatewayCall): boolean {
  if (protocol.name !== "chat") return false;
  const effort = asText(body.reasoning_effort) ?? asText(asObject(body.reasoning)?.effort);
  const template = asObject(body.chat_template_kwargs);
  return (effort !== undefined && effort !== "none") || body.enable_thinking === true ||
    template?.enable_thinking === true || template?.thinking === true ||
    asObject(body.thinking)?.type === "enabled";
}

/** Passes bodies through. */
export const nativeLane: Lane = {
  name: "native",

  encode(call: GatewayCall, endpoint: EndpointClient): LaneRequest {
    const { protocol } = call;
    const encoded = nativeRequest(call, endpoint);
    if (encoded === undefined) {
      throw new GatewayError(400, `${endpoint.name} does not offer this operation`, {
        reason: "unsupported_operation",
      });
    }
    const model = modelAt(endpoint, call);
    return { endpoint, protocol, model, encoded, isThinkingRequested: requestsThinking(call) };
  },

  answer(call: GatewayCall, request: LaneRequest, response: BufferedResponse): LaneAnswer {
    const { completion, raw } = decodeWhole(request, response);
    const isStream = parseEventStream(response.body.slice(0, 64)) !== undefined;
    const body = isStream ? streamAsWhole(call, completion) : response.body;
    return { body, headers: headersToClient(response.headers), completion, raw };
  },

  stream(call: GatewayCall, request: LaneRequest, headers: Headers): LaneStream {
    return new NativeStream(call, request, headers);
  },
};
