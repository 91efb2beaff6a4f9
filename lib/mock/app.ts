/**
 * A mock LLM server as a Hono app: it asks no model, costs nothing, and gives the same answer to the same
 * request. It speaks OpenAI Chat Completions and Responses, Anthropic Messages and Gemini.
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

/** The protocol of a request for models, which three of them send to one path. */
function protocolOfHeaders(c: Context): MockProtocol {
  if (c.req.path.startsWith("/v1beta")) return gemini;
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

  /** Answers every method of a path but the `allowed` ones with 405. */
  const allowOnly = (path: string, protocol: MockProtocol | undefined, ...allowed: string[]) => {
    const others = METHODS.filter((method) => !allowed.includes(method));
    app.on(others, path, (c) => {
      const message =
        `Not allowed to ${c.req.method} on ${c.req.path}. (HINT: Perhaps you meant to use a different HTTP method?)`;
      const error = { status: 405, message };
      return mock.refuse(protocol ?? protocolOfHeaders(c), error, { allow: allowed.join(", ") });
    });
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
    mock.refuse(protocolOfHeaders(c), {
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
  const list = (c: Context) => c.json(protocolOfHeaders(c).models(settings.models) as object);
  const one = (c: Context) => {
    const id = c.req.param("id") ?? "";
    const protocol = protocolOfHeaders(c);
    if (settings.models.includes(id)) return c.json(protocol.model(id) as object);
    return GEMINI_CALL.test(id)
      ? mock.refuse(gemini, { status: 405, message: `${c.req.method} is not allowed: use POST` }, {
        allow: "POST",
      })
      : mock.refuse(protocol, {
        status: 404,
        message: `The model '${id}' does not exist or you do not have access to it.`,
      });
  };
  const call = (c: Context) => {
    const [, model, method] = GEMINI_CALL.exec(c.req.param("id") ?? "") ?? [];
    if (model === undefined) return notFound(c);
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
    const path = `${base}/models/:id{.+}`;
    app.get(path, one);
    if (base !== "") app.post(path, call);
    allowOnly(path, undefined, "GET", ...(base === "" ? [] : ["POST"]));
  }
  app.get("/__mock/requests", (c) => c.json({ requests: mock.log.requests }));
  app.delete("/__mock/requests", (c) => {
    mock.log.clear();
    return c.body(null, 204);
  });
  allowOnly("/__mock/requests", undefined, "GET", "DELETE");
  app.get("/", (c) => c.text("flexllm mock server. Its requests: GET /__mock/requests\n"));
  app.notFound(notFound);
  return app;
}
