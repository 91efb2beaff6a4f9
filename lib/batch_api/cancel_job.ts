/**
 * Requests the cancellation of a job that may have ended in the meantime.
 *
 * @module
 */
import { HttpError } from "../http_errors.ts";
import { type BatchApi, isFinal } from "./batch_api.ts";
import type { BatchHttp } from "./batch_http.ts";

/** Statuses with which services refuse to cancel what has ended. */
const REFUSED: ReadonlySet<number> = new Set([400, 409, 422]);

/**
 * Sends a POST to `path`, with `json` as its body. That the job has ended, or is being cancelled already, is fine.
 *
 * @throws {FlexLLMError} if it fails
 */
export async function cancelJob(
  api: Pick<BatchApi, "get">,
  http: BatchHttp,
  id: string,
  path: string,
  json?: unknown,
): Promise<void> {
  try {
    await http.send({ method: "POST", path, json });
  } catch (error) {
    if (!(error instanceof HttpError && REFUSED.has(error.status))) throw error;
    const { status } = await api.get(http, id);
    if (!isFinal(status) && status !== "cancelling") throw error;
  }
}
