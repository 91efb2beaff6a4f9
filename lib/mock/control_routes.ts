/**
 * Serves the mock's request log.
 *
 * @module
 */
import type { Hono } from "hono";
import type { RequestLog } from "./request_log.ts";

/** The path of the request log. */
export const LOG_PATH = "/__mock/requests";

/** Adds the routes that read and clear the log. */
export function addLogRoutes(app: Hono, log: RequestLog): void {
  app.get(LOG_PATH, (c) => c.json({ requests: log.requests }));
  app.delete(LOG_PATH, (c) => {
    log.clear();
    return c.body(null, 204);
  });
}
