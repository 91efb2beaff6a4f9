/** A server that sends its requests through the translated lane to a provider with canned answers. */
import { translatedLane } from "../../../../../lib/gateway/lanes/translated/translated.ts";
import type { Json } from "../../../../../lib/json/json.ts";
import { SERVER_SENT_EVENTS } from "../../../../../lib/protocols/event_framing.ts";
import { type HttpServer, startHttpServer } from "../../../../support/http_server.ts";
import type { Scenario } from "./provider_traffic.ts";
import {
  callOf,
  CLIENTS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";

export interface LaneServer extends HttpServer {
  /** The bodies that the provider received. */
  sent: Json[];
}

function clientOf(path: string): TestClient {
  const name = path.endsWith("/messages")
    ? "claude"
    : path.endsWith("/responses")
    ? "responses"
    : path.includes(":")
    ? "gemini"
    : "chat";
  return CLIENTS.find((client) => client.name === name)!;
}

/** Starts a server in front of `provider`, which answers with `scenarios` in turn. */
export async function startLaneServer(
  provider: TestProvider,
  ...scenarios: Scenario[]
): Promise<LaneServer> {
  const sent: Json[] = [];
  const server = await startHttpServer(({ path, body }, response) => {
    const client = clientOf(path);
    const parsed = JSON.parse(body);
    const stream = parsed.stream === true || path.includes(":stream");
    const call = callOf({ ...client, body: {} }, stream, parsed);
    const { endpoint } = requestTo(provider);
    const request = translatedLane.encode(call, endpoint);
    sent.push(JSON.parse(request.encoded.body!));
    const traffic = provider.traffic[scenarios[(sent.length - 1) % scenarios.length]];
    const headers = new Headers();
    if (!stream) {
      const whole = { status: 200, headers, body: traffic.plain! };
      return {
        headers: { "content-type": "application/json" },
        text: translatedLane.answer(call, request, whole).body,
      };
    }
    headers.set("content-type", "text/event-stream");
    const lane = translatedLane.stream(call, request, headers);
    response.writeHead(200, { "content-type": SERVER_SENT_EVENTS.contentType });
    for (const event of traffic.stream.split(/(?<=\n\n)/)) {
      const bytes = lane.push(new TextEncoder().encode(event));
      if (bytes !== undefined) response.write(bytes);
    }
    response.end(lane.end());
  });
  return Object.assign(server, { sent });
}
