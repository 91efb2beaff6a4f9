/**
 * Serves the batch APIs of the mock.
 *
 * @module
 */
import { Hono } from "hono";
import type { ServerError } from "../../protocols/serve.ts";
import type { RequestLog } from "../request_log.ts";
import type { BatchApiServer } from "./api.ts";
import { BATCH_APIS, batchApiFor } from "./apis.ts";
import { addBatchControl } from "./batch_control.ts";
import type { BatchSettings } from "./batch_options.ts";
import { dropConnection } from "./broken_connection.ts";
import { BatchCore } from "./core.ts";
import { routedPath } from "./mock_path.ts";
import { loggedBody } from "./read_body.ts";
import type { SendRow } from "./row_answers.ts";

/** The batch APIs of a mock. */
export interface BatchServer {
  /** Answers a request; `undefined` if it is for no batch API. */
  fetch(request: Request): Promise<Response> | undefined;
  /** Closes the state. */
  close(): void;
}

/** What the batch APIs need from the mock. */
export interface BatchServerParts {
  settings: BatchSettings;
  log: RequestLog;
  sendRow: SendRow;
  reject(request: Request, error: ServerError): Response;
  /** The injected error of the next request, such as that of `--error-rate`. */
  nextError(request: Request): Response | "drop" | undefined;
}

const CONTROL = /^\/__mock\/batches(\/|$)/;

/**
 * Opens the state and makes the routes.
 *
 * @throws {ConfigurationError} if the state folder cannot be used
 */
export async function openBatchServer(parts: BatchServerParts): Promise<BatchServer> {
  const { settings, log, reject } = parts;
  const byName = new Map(BATCH_APIS.map((api) => [api.name, api]));
  const core = await BatchCore.open({
    settings,
    sendRow: parts.sendRow,
    reject,
    parseRow: (line, index, job) => byName.get(job.api)!.parseRow(line, index, job),
  });
  const makeApp = (add: (app: Hono, core: BatchCore) => void): Hono => {
    const app = new Hono({ getPath: routedPath });
    add(app, core);
    app.notFound((c) => {
      const message = `Invalid URL (${c.req.method} ${new URL(c.req.url).pathname})`;
      return reject(c.req.raw, { status: 404, message, code: "unknown_url" });
    });
    app.onError((error) => {
      throw error;
    });
    return app;
  };
  const control = makeApp(addBatchControl);
  const apps = new Map<BatchApiServer, Hono>();
  const appOf = (api: BatchApiServer) => {
    let app = apps.get(api);
    if (app === undefined) {
      apps.set(api, app = makeApp((app, core) => api.addRoutes(app, core)));
    }
    return app;
  };
  const answer = async (api: BatchApiServer, request: Request) => {
    const error = parts.nextError(request);
    const response = error === "drop"
      ? dropConnection(request)
      : error ?? await appOf(api).fetch(request);
    log.add(request, loggedBody(request), response.status);
    return response;
  };
  return {
    fetch(request) {
      if (CONTROL.test(routedPath(request))) return Promise.resolve(control.fetch(request));
      const api = batchApiFor(request, settings.api);
      return api && answer(api, request);
    },
    close: () => core.close(),
  };
}
