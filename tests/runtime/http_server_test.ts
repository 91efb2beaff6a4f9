/** The HTTP server: clients that leave, addresses of clients, and stopping. */
import assert from "node:assert/strict";
import { serve } from "../../lib/runtime/http_server.ts";

Deno.test("a client that leaves aborts the request and cancels the body", async () => {
  const events: string[] = [];
  let cancelled = () => {};
  const ended = new Promise<void>((resolve) => cancelled = resolve);
  const server = await serve("127.0.0.1", 0, (request) => {
    request.signal.addEventListener("abort", () => events.push("abort"));
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
      cancel: () => cancelled(),
    });
    return new Response(body);
  });
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}`, { signal: leaving.signal });
  await response.body!.getReader().read();
  leaving.abort();
  await ended;
  assert.deepEqual(events, ["abort"]);
  await server.close();
});

Deno.test("a server that stops sends the answers in flight and then closes", async () => {
  let finish = () => {};
  const server = await serve("127.0.0.1", 0, (_, peer) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${peer.address()} `));
        finish = () => {
          controller.enqueue(new TextEncoder().encode("last"));
          controller.close();
        };
      },
    });
    return new Response(body);
  });
  const response = await fetch(`http://127.0.0.1:${server.port}`);
  const stopped = server.stop();
  finish();
  assert.equal(await response.text(), "127.0.0.1 last");
  await stopped;
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}`));
  await server.close();
});
