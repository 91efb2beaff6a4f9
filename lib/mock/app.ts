/**
 * A mock LLM server as a Hono app: it uses no model, costs nothing, and answers the same request in the
 * same way. It speaks OpenAI Chat Completions and Responses, Anthropic Messages and Gemini.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai_chat.ts";
import { openaiResponses } from "./openai_responses.ts";
import type { MockSettings } from "./options.ts";
import type { MockProtocol } from "./protocol.ts";
import { Responder } from "./responder.ts";

/** The protocol of a request that no route answers, or for models, which three of them send to one path. */
function protocolOf(c: Context): MockProtocol {
  const { path } = c.req;
  if (path.startsWith("/v1beta") || GEMINI_CALL.test(path)) return gemini;
  if (/\/messages(\/|$)/.test(path)) return anthropic;
  if (c.req.header("anthropic-version") !== undefined) return anthropic;
  const isGemini = c.req.header("x-goog-api-key") !== undefined || c.req.query("key") !== undefined;
  return isGemini ? gemini : openaiChat;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const GEMINI_CALL = /^(.+):(generateContent|streamGenerateContent|countTokens)$/;

/** Builds the app for checked settings. */
export function buildMockApp(settings: MockSettings): Hono {
  const mock = new Responder(settings);
  const app = new Hono();

  const notAllowed = (c: Context, protocol: MockProtocol, ...allowed: string[]) => {
    const { method, path } = c.req;
    const message =
      `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`;
    return mock.refuse(protocol, { status: 405, message }, { allow: allowed.join(", ") });
  };
  /** Answers every method of a path but the `allowed` ones with 405. */
  const allowOnly = (path: string, protocol: MockProtocol | undefined, ...allowed: string[]) => {
    const others = METHODS.filter((method) => !allowed.includes(method));
    app.on(others, path, (c) => notAllowed(c, protocol ?? protocolOf(c), ...allowed));
  };
  const post = (
    path: string,
    protocol: MockProtocol,
    handler: (c: Context) => Response | Promise<Response>,
  ) => {
    app.post(path, handler);
    allowOnly(path, protocol, "POST");
  };
  const notFound = (c: Context) =>
    mock.refuse(protocolOf(c), {
      status: 404,
      message: `Invalid URL (${c.req.method} ${c.req.path})`,
      code: "unknown_url",
    });

  for (const base of ["", "/v1"]) {
    post(`${base}/chat/completions`, openaiChat, (c) => mock.answer(c, openaiChat));
    post(`${base}/responses`, openaiResponses, (c) => mock.answer(c, openaiResponses));
    post(
      `${base}/responses/input_tokens`,
      openaiResponses,
      (c) => mock.answer(c, openaiResponses, { counting: true }),
    );
    const version = (c: Context) => c.req.header("anthropic-version");
    post(`${base}/messages`, anthropic, (c) => mock.answer(c, anthropic, { version: version(c) }));
    post(
      `${base}/messages/count_tokens`,
      anthropic,
      (c) => mock.answer(c, anthropic, { version: version(c), counting: true }),
    );
  }
  const list = (c: Context) => c.json(protocolOf(c).models(settings.models) as object);
  const one = (c: Context, id: string) => {
    const protocol = protocolOf(c);
    if (c.req.method !== "GET") return notAllowed(c, protocol, "GET");
    if (settings.models.includes(id)) return c.json(protocol.model(id) as object);
    const message = `The model '${id}' does not exist or you do not have access to it.`;
    return mock.refuse(protocol, { status: 404, message });
  };
  const call = (c: Context, model: string, method: string) => {
    if (c.req.method !== "POST") return notAllowed(c, gemini, "POST");
    return mock.answer(c, gemini, {
      model,
      stream: method === "streamGenerateContent",
      counting: method === "countTokens",
      asArray: c.req.query("alt") !== "sse",
    });
  };
  for (const base of ["", "/v1", "/v1beta"]) {
    app.get(`${base}/models`, list);
    allowOnly(`${base}/models`, undefined, "GET");
    // A closer pattern would put all paths on Hono's slow router.
    app.on(METHODS, `${base}/models/:id{.+}`, (c) => {
      const id = c.req.param("id") ?? "";
      const [, model, method] = GEMINI_CALL.exec(id) ?? [];
      return model === undefined ? one(c, id) : call(c, model, method);
    });
  }
  app.get("/__mock/requests", (c) => c.json({ requests: mock.log.requests }));
  app.delete("/__mock/requests", (c) => {
    mock.log.clear();
    return c.body(null, 204);
  });
  allowOnly("/__mock/requests", openaiChat, "GET", "DELETE");
  app.get("/", (c) => c.text("flexllm mock server. Request log: GET /__mock/requests\n"));
  app.notFound(notFound);
  app.onError((error, c) => {
    // Reading and writing JSON takes a call per level.
    if (!(error instanceof RangeError)) throw error;
    return mock.refuse(protocolOf(c), { status: 400, message: "The body is nested too deep." });
  });
  return app;
}
