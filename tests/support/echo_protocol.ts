/**
 * A made-up wire format, in the directory that a new format would have, added to the registry by the one
 * line that a new format would add. Import it before the code under test.
 */
import type { StreamEvent } from "../../lib/chat/events.ts";
import { MalformedResponseError } from "../../lib/errors.ts";
import { asNumber, asObject, asText } from "../../lib/json/json.ts";
import { parseEvent } from "../../lib/protocols/parse_event.ts";
import type { Completion, OfficialProtocol, StreamDecoder } from "../../lib/protocols/protocol.ts";
import { registerProtocol } from "../../lib/protocols/registry.ts";
import { jsonHeaders, requestHeaders, requestUrl } from "../../lib/protocols/request.ts";

/** Turns `{"said": "…", "words": 2}` into a completion. */
function decode(body: unknown): Completion {
  const answer = asObject(body);
  const content = asText(answer?.said);
  if (content === undefined) throw new MalformedResponseError("the answer has no field said");
  const words = asNumber(answer?.words) ?? 0;
  return {
    content,
    thinking: null,
    refusal: null,
    toolCalls: [],
    usage: { promptTokens: 1, completionTokens: words, totalTokens: words + 1 },
    finishReason: "stop",
    model: asText(answer?.voice) ?? "",
    providerMessage: { format: "echo", content: answer },
  };
}

/** Decodes a stream of `{"say": "…"}` that ends with `{"over": true}`. */
class EchoStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  #said = "";

  push(data: string, events: StreamEvent[]): void {
    const { say, over, voice } = parseEvent(data);
    this.model ??= asText(voice);
    if (over === true) {
      this.complete = this.ended = true;
      events.push({ type: "finish", finishReason: "stop" });
      return;
    }
    const text = asText(say) ?? "";
    this.#said += text;
    events.push({ type: "text", text });
  }

  providerMessage() {
    return { format: "echo", content: { said: this.#said } };
  }
}

export const echo: OfficialProtocol<"echo"> = {
  name: "echo",
  official: {
    company: "Echo Ltd.",
    baseUrl: "https://api.echo.example/v9",
    keyVariable: "ECHO_API_KEY",
    billingPage: "console.echo.example",
  },
  pathMarker: /\/echo(\/|$)/,
  completeBaseUrl: (baseUrl) => /\/echo$/.test(baseUrl) ? `${baseUrl}/v9` : baseUrl,
  isAnswer: ({ said }) => said !== undefined,
  encoder(endpoint) {
    const url = requestUrl(endpoint, "/speak");
    const headers = jsonHeaders(endpoint, "x-api-key");
    return ({ model, messages, stream }) => {
      const turns = messages.map((message) =>
        message.role === "assistant" && message.providerMessage?.format === "echo"
          ? message.providerMessage.content
          : message.content
      );
      const body = JSON.stringify({ voice: model, turns, live: stream, loud: false });
      return { url, headers, body };
    };
  },
  decode,
  streamDecoder: () => new EchoStreamDecoder(),
  modelList: {
    request: (endpoint) => ({
      url: requestUrl(endpoint, "/voices"),
      headers: requestHeaders(endpoint, "x-api-key"),
    }),
    decode: (body) => ({ models: (body as { voices: string[] }).voices.map((id) => ({ id })) }),
  },
  fetchedUrls: { image: false, file: false, audio: false },
  neutralFields: { live: true, loud: ["false"] },
  rateLimitHeaders: [{
    limit: "echo-limit",
    remaining: "echo-remaining",
    reset: "echo-reset",
  }],
  serve: async () => (await import("./echo_server.ts")).echoServer,
  decodeError: (body) => {
    const mumbled = asText(asObject(body)?.mumbled);
    return mumbled === undefined ? undefined : { message: mumbled };
  },
};

registerProtocol(echo);
