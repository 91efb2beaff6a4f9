/**
 * Reports every request to the mock when its answer ends: complete, broken, or abandoned by the client.
 *
 * @module
 */
import type { MockErrorKind } from "./error_kinds.ts";
import { shownPath } from "./secrets.ts";

/** One request to the mock and how it ended. */
export interface MockAccess {
  /** When the request arrived. */
  time: Date;
  /** The method, such as `POST`. */
  method: string;
  /** With the query; keys in it are removed. */
  path: string;
  /** The requested model, if the request could be read. */
  model?: string;
  /** HTTP status; `undefined` if the client left before there was one. */
  status?: number;
  /** Whether the answer was streamed. */
  streamed: boolean;
  /** Tokens of the prompt. */
  promptTokens?: number;
  /** Tokens of the answer. */
  completionTokens?: number;
  /** Seconds until the end of the answer. */
  duration: number;
  /** `aborted`: the client left. `broken`: the server broke the connection. */
  outcome: "complete" | "aborted" | "broken";
  /** The injected fault. */
  fault?: MockErrorKind;
  /** The message of an error response. */
  error?: string;
  /** What a recording or a replay did with the request. */
  note?: string;
}

/** The facts that only the code that answers a request knows. */
export interface AccessFacts
  extends
    Partial<Omit<MockAccess, "time" | "method" | "path" | "status" | "duration" | "outcome">> {
  /** Whether the body is still being written when the response starts. */
  isOpen?: boolean;
  /** Whether all of the body was written: a client that leaves before it ends misses nothing. */
  isSent?: boolean;
}

type Handler = (request: Request) => Response | Promise<Response>;

/** The facts about the requests that are logged. */
const known = new WeakMap<Request, AccessFacts>();

/** Adds facts about a request. Does nothing if requests are not logged. */
export function addFacts(request: Request, facts: AccessFacts): void {
  const all = known.get(request);
  if (all !== undefined) Object.assign(all, facts);
}

/** Passes a body on and calls `onEnd` once it ends, breaks or is abandoned. */
export function watchedBody(
  body: ReadableStream<Uint8Array>,
  onEnd: (outcome: MockAccess["outcome"]) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd("complete");
        controller.close();
      } catch (error) {
        onEnd("broken");
        controller.error(error);
      }
    },
    async cancel(reason) {
      onEnd("aborted");
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Makes `answer` report every request to `onRequest`. */
export function withAccessLog(answer: Handler, onRequest: (access: MockAccess) => void): Handler {
  return async (request) => {
    const started = performance.now();
    const time = new Date();
    const facts: AccessFacts = {};
    known.set(request, facts);
    let isReported = false;
    let status: number | undefined;
    const report = (outcome: MockAccess["outcome"]) => {
      if (isReported) return;
      isReported = true;
      const { isOpen: _, isSent, ...rest } = facts;
      onRequest({
        time,
        method: request.method,
        path: shownPath(new URL(request.url)),
        status,
        streamed: false,
        duration: (performance.now() - started) / 1000,
        outcome: outcome === "aborted" && isSent ? "complete" : outcome,
        ...rest,
      });
    };
    request.signal.addEventListener("abort", () => report("aborted"), { once: true });
    let response: Response;
    try {
      response = await answer(request);
    } catch (error) {
      if (!request.signal.aborted) status = 500;
      report(request.signal.aborted ? "aborted" : "broken");
      throw error;
    }
    if (request.signal.aborted) report("aborted");
    const { body } = response;
    status = response.status;
    // Other bodies would lose their `Content-Length`.
    if (body === null || facts.isOpen !== true) {
      report("complete");
      return response;
    }
    return new Response(watchedBody(body, report), response);
  };
}
