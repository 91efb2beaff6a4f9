/** The server side of the made-up format in echo_protocol.ts. */
import { asText } from "../../lib/json/json.ts";
import type { ProtocolServer, ServerEvent } from "../../lib/protocols/serve.ts";

export const echoServer: ProtocolServer = {
  prefixes: ["/v9"],
  routes: [{ path: "/speak", operation: "chat" }],
  claims: ({ url }) => new URL(url).pathname.startsWith("/v9/"),
  validate: ({ turns }) => Array.isArray(turns) ? undefined : { status: 400, message: "no turns" },
  decodeRequest: (body) => ({
    chat: {
      model: asText(body.voice) ?? "",
      messages: (body.turns as string[]).map((content) => ({ role: "user", content })),
      options: {},
      stream: body.live === true,
    },
    body,
    choices: 1,
    topLogprobs: undefined,
    includeThinking: false,
  }),
  encodeResponse: ({ choices: [{ content }], usage, model }) => ({
    said: content,
    words: usage?.completionTokens,
    voice: model,
  }),
  streamEncoder: ({ model }) => ({
    push: (events) =>
      events.flatMap((event): ServerEvent[] =>
        event.type === "text" ? [{ data: JSON.stringify({ say: event.text, voice: model }) }] : []
      ),
    carry: () => [],
    fail: ({ message }) => [{ data: JSON.stringify({ mumbled: message }) }],
    end: () => [{ data: '{"over":true}' }],
  }),
  encodeError: ({ status, message }) => ({ status, headers: {}, body: { mumbled: message } }),
  overloadedStatus: 503,
  encodeModels: (models) => ({ voices: models.map(({ id }) => id) }),
  encodeModel: ({ id }) => ({ voice: id }),
  toolCallPrefix: "",
  headers: () => ({}),
};
