/**
 * Answers the requests of the mock's batch APIs with the faults that hit requests.
 *
 * @module
 */
import type { Context } from "hono";
import { cutBody } from "./broken_connection.ts";
import type { BatchCore } from "./core.ts";
import { createWithFaults, failedPoll } from "./create_job.ts";
import { RefusedRequest } from "./stored_rows.ts";

/** Answers a request whose handler may throw a {@link RefusedRequest}. */
export async function answerRequest(
  c: Context,
  core: BatchCore,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof RefusedRequest) return core.reject(c.req.raw, error.error);
    if (!(error instanceof SyntaxError)) throw error;
    return core.reject(c.req.raw, { status: 400, message: "The body is not valid JSON." });
  }
}

/** Answers a request that creates a job. Its connection may break before or after that. */
export function answerCreate(
  c: Context,
  core: BatchCore,
  create: () => Promise<Response>,
): Promise<Response> {
  return createWithFaults(core, c.req.raw, () => answerRequest(c, core, create));
}

/** Answers a request that reads a job. */
export function answerPoll(
  c: Context,
  core: BatchCore,
  read: () => Response | Promise<Response>,
): Promise<Response> {
  return answerRequest(c, core, () => failedPoll(core, c.req.raw) ?? read());
}

/** Characters that are collected before they are sent. */
const CHUNK = 65_536;

/** A download of results as JSON lines, made while it is sent. It may break off. */
export function jsonLines(
  c: Context,
  core: BatchCore,
  type: string,
  values: AsyncIterable<unknown>,
): Response {
  const iterator = values[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      let text = "";
      while (text.length < CHUNK) {
        const { value, done } = await iterator.next();
        if (done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += `${JSON.stringify(value)}\n`;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return cutByFault(c, core, new Response(body, { headers: { "content-type": type } }));
}

/** An answer with results, which may break off. */
export function cutByFault(c: Context, core: BatchCore, answer: Response): Response {
  if (answer.body === null || core.takeFault("cut_download") === undefined) return answer;
  return new Response(cutBody(c.req.raw, answer.body), { headers: answer.headers });
}

/** The page size of a list, which a fault may reduce. */
export function pageSize(
  c: Context,
  core: BatchCore,
  name: string,
  usual: number,
  most: number,
): number {
  const asked = Number(c.req.query(name) ?? usual);
  const size = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, most) : usual;
  return Math.min(size, core.takeFault("list_page") ?? Infinity);
}

/** The address of a request without its query, and without the last `segments` of its path. */
export function addressOf(c: Context, segments = 0): string {
  const { origin, pathname } = new URL(c.req.url);
  const path = pathname.split("/");
  return origin + path.slice(0, path.length - segments).join("/");
}
