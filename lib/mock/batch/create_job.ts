/**
 * Injects the faults of a create: connections that drop before or after the job exists.
 *
 * @module
 */
import type { BatchCore } from "./core.ts";
import { dropConnection, hang } from "./broken_connection.ts";

/**
 * Creates a job with the faults of creates.
 *
 * @param commit stores the job and makes the answer; not called if the connection drops before
 */
export async function createWithFaults(
  core: BatchCore,
  request: Request,
  commit: () => Response | Promise<Response>,
): Promise<Response> {
  if (core.takeFault("create_drop") !== undefined) return dropConnection(request);
  const response = await commit();
  // A refused create created nothing.
  if (!response.ok) return response;
  if (core.takeFault("create_commit_drop") !== undefined) return dropConnection(request);
  if (core.takeFault("create_commit_hang") !== undefined) return await hang(request);
  if (core.takeFault("create_commit_500") !== undefined) {
    const message = "The server had an error while processing your request.";
    return core.reject(request, { status: 500, message });
  }
  return response;
}

/** The answer to a poll that a fault hits; `undefined` for others. */
export function failedPoll(core: BatchCore, request: Request): Response | undefined {
  if (core.takeFault("poll_502") === undefined) return undefined;
  return core.reject(request, { status: 502, message: "Bad gateway." });
}
