/**
 * Breaks connections of the mock's batch APIs.
 *
 * @module
 */
import { addFacts } from "../access_log.ts";

/** Bytes of an answer that are sent before a cut download breaks. */
const SENT = 200;

/** An answer that breaks before its body. */
export function dropConnection(request: Request): Response {
  addFacts(request, { fault: "disconnect", isOpen: true });
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("connection closed by the mock"));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** Never answers, until the client leaves. */
export async function hang(request: Request): Promise<Response> {
  addFacts(request, { fault: "stall" });
  await new Promise<void>((resolve) => {
    if (request.signal.aborted) return resolve();
    // Ends some time even if the runtime does not report that the client left.
    const timer = setTimeout(resolve, 600_000);
    request.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
  return new Response(null, { status: 499 });
}

/** Breaks a body in the middle of its first line. */
export function cutBody(
  request: Request,
  body: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  addFacts(request, { fault: "disconnect", isOpen: true });
  const reader = body.getReader();
  let isSent = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isSent) {
        isSent = true;
        const { value } = await reader.read();
        if (value !== undefined) {
          controller.enqueue(value.subarray(0, Math.min(SENT, value.length >> 1)));
        }
        return;
      }
      // Without a pause, the connection would close before the bytes are sent.
      await new Promise((resolve) => setTimeout(resolve, 20));
      void reader.cancel();
      controller.error(new Error("connection closed by the mock"));
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
