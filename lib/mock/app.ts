/**
 * The mock LLM server as a Hono app. It runs no model, costs nothing, and gives the same answer to the
 * same request.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { routePattern, serverFor } from "../protocols/servers.ts";
import type { ProtocolServer, ServedModel, ServerRoute } from "../protocols/serve.ts";
import { routedPath } from "./batch/mock_path.ts";
import { addLogRoutes, LOG_PATH } from "./control_routes.ts";
import type { EmbeddingOperation } from "./embeddings.ts";
import type { MockSettings } from "./options.ts";
import type { RequestLog } from "./request_log.ts";
import { Responder } from "./responder.ts";

/** A route whose path contains the model. */
interface ModelRoute {
  server: ProtocolServer;
  route: ServerRoute;
  pattern: RegExp;
}

function modelRoutes(servers: readonly ProtocolServer[]): ModelRoute[] {
  return servers.flatMap((server) =>
    server.routes.filter(({ path }) => path.includes("{model}"))
      .map((route) => ({ server, route, pattern: routePattern(route.path) }))
  );
}

/** Gemini's paths for embeddings, after `/models/`. */
const EMBED_PATH = /^(?<model>.+):(?<operation>embedContent|batchEmbedContents)$/;

function listed(id: string): ServedModel {
  return { id, contextWindow: 1_000_000, maxOutputTokens: 128_000 };
}

/** Builds the app for checked settings. `servers` are the formats that it speaks. */
export function buildMockApp(
  settings: MockSettings,
  servers: readonly ProtocolServer[],
  log: RequestLog,
  mock: Responder = new Responder(settings, log),
): Hono {
  const routesWithModel = modelRoutes(servers);
  const app = new Hono({ getPath: routedPath });

  const notAllowed = (c: Context, server: ProtocolServer, ...allowed: string[]) => {
    const { method, path } = c.req;
    const message =
      `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`;
    return mock.reject(c.req.raw, server, { status: 405, message }, { allow: allowed.join(", ") });
  };
  /** The paths that answer other methods with 405. As routes, they would double the time to start. */
  const known = new Map<string, { server: ProtocolServer | undefined; allowed: string[] }>();
  const allowOnly = (path: string, server: ProtocolServer | undefined, ...allowed: string[]) =>
    known.set(path, { server, allowed });
  for (const server of servers) {
    for (const { path, operation, stream } of server.routes) {
      if (path.includes("{model}")) continue;
      for (const prefix of server.prefixes) {
        app.post(`${prefix}${path}`, (c) => mock.answer(c, server, { operation, stream }));
        allowOnly(`${prefix}${path}`, server, "POST");
      }
    }
  }

  for (const prefix of ["", "/v1"]) {
    const path = `${prefix}/embeddings`;
    app.post(path, (c) => mock.embed(c, servers.at(-1)!, "embeddings"));
    allowOnly(path, servers.at(-1), "POST");
  }

  const list = (c: Context) =>
    c.json(serverFor(servers, c.req.raw).encodeModels(settings.models.map(listed)) as object);
  const one = (c: Context, id: string) => {
    const server = serverFor(servers, c.req.raw);
    if (c.req.method !== "GET") return notAllowed(c, server, "GET");
    if (settings.models.includes(id)) return c.json(server.encodeModel(listed(id)) as object);
    const message = `The model '${id}' does not exist or you do not have access to it.`;
    return mock.reject(c.req.raw, server, { status: 404, message });
  };
  const embed = (c: Context, model: string, operation: string) => {
    const server = serverFor(servers, c.req.raw);
    if (c.req.method !== "POST") return notAllowed(c, server, "POST");
    return mock.embed(c, server, operation as EmbeddingOperation, model);
  };
  const call = (c: Context, { server, route }: ModelRoute, model: string) => {
    if (c.req.method !== "POST") return notAllowed(c, server, "POST");
    const { operation, stream } = route;
    return mock.answer(c, server, { operation, stream, model });
  };
  for (const prefix of new Set(servers.flatMap(({ prefixes }) => prefixes))) {
    app.get(`${prefix}/models`, list);
    allowOnly(`${prefix}/models`, undefined, "GET");
    // With a narrower pattern, Hono would use its slow router for all paths.
    app.all(`${prefix}/models/:id{.+}`, (c) => {
      const id = c.req.param("id") ?? "";
      const embedding = EMBED_PATH.exec(id)?.groups;
      if (embedding !== undefined) return embed(c, embedding.model, embedding.operation);
      for (const modelRoute of routesWithModel) {
        const model = modelRoute.pattern.exec(`/models/${id}`)?.groups?.model;
        if (model !== undefined) return call(c, modelRoute, model);
      }
      return one(c, id);
    });
  }

  addLogRoutes(app, log);
  allowOnly(LOG_PATH, undefined, "GET", "DELETE");
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/", (c) => c.text("flexllm mock server. Request log: GET /__mock/requests\n"));
  app.notFound((c) => {
    const server = serverFor(servers, c.req.raw);
    const route = known.get(c.req.path);
    if (route !== undefined) return notAllowed(c, route.server ?? server, ...route.allowed);
    const message = `Invalid URL (${c.req.method} ${c.req.path})`;
    return mock.reject(c.req.raw, server, { status: 404, message, code: "unknown_url" });
  });
  app.onError((error, c) => {
    // Reading and writing JSON is recursive, so deep nesting overflows the stack.
    if (!(error instanceof RangeError)) throw error;
    const message = "The body is nested too deep.";
    return mock.reject(c.req.raw, serverFor(servers, c.req.raw), { status: 400, message });
  });
  return app;
}
