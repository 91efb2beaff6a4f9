/**
 * Loads the mock that generates its answers, with its batch APIs once they are used.
 *
 * @module
 */
import type { ProtocolServer } from "../protocols/serve.ts";
import { serverFor } from "../protocols/servers.ts";
import { buildMockApp } from "./app.ts";
import type { BatchServer } from "./batch/serve_batches.ts";
import type { MockSettings } from "./options.ts";
import { RequestLog } from "./request_log.ts";
import { Responder } from "./responder.ts";

/** Paths that may be those of a batch API. */
const MAYBE_BATCH =
  /\/(batch|batches|files|upload|download|accounts|signed)\b|:batchGenerateContent|:download/;

/** A log that forgets everything. */
class SilentLog extends RequestLog {
  override add(): void {}
}

/** Rows of a job don't wait, and only fail if they are invalid, or a fault of batches says so. */
function rowSettings(settings: MockSettings): MockSettings {
  return {
    ...settings,
    delay: [0, 0],
    firstToken: [0, 0],
    rps: Infinity,
    tokenRate: Infinity,
    errorRate: 0,
    responses: settings.responses.map((response) => ({ ...response, delay: 0 })),
  };
}

async function openBatches(
  settings: MockSettings,
  servers: readonly ProtocolServer[],
  log: RequestLog,
  responder: Responder,
): Promise<BatchServer> {
  const { openBatchServer } = await import("./batch/serve_batches.ts");
  const rows = buildMockApp(rowSettings(settings), servers, new SilentLog());
  const failed = /^\/__row_error\/(\d+)(\/.*)$/;
  return await openBatchServer({
    settings: settings.batch,
    log,
    async sendRow(path, body) {
      const [, status, realPath = path] = failed.exec(path) ?? [];
      const url = `http://mock.invalid${realPath}`;
      const headers = { "content-type": "application/json" };
      const request = new Request(url, { method: "POST", headers, body });
      if (status === undefined) return await rows.fetch(request);
      const message = "Error injected by the mock server.";
      return responder.reject(request, serverFor(servers, request), {
        status: Number(status),
        message,
      });
    },
    reject: (request, error) => responder.reject(request, serverFor(servers, request), error),
    nextError: (request) => responder.injectError(request, serverFor(servers, request)),
  });
}

/** Loads it. Its state folder is opened at once, so that problems with it are reported at the start. */
export async function loadGenerated(
  settings: MockSettings,
  servers: readonly ProtocolServer[],
): Promise<{ fetch(request: Request): Response | Promise<Response>; close(): void }> {
  const log = new RequestLog();
  const responder = new Responder(settings, log);
  const app = buildMockApp(settings, servers, log, responder);
  let opened: BatchServer | undefined;
  let opening: Promise<BatchServer> | undefined;
  const open = () =>
    opening ??= openBatches(settings, servers, log, responder).then((batches) => opened = batches);
  const answer = (request: Request) => opened!.fetch(request) ?? app.fetch(request);
  if (settings.batch.state !== undefined) await open();
  return {
    fetch(request) {
      if (!MAYBE_BATCH.test(request.url)) return app.fetch(request);
      return opened === undefined ? open().then(() => answer(request)) : answer(request);
    },
    close: () => opened?.close(),
  };
}
