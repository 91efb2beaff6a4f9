import assert from "node:assert/strict";
import { ClientStream } from "../../lib/gateway/client_stream.ts";

const KIB = new Uint8Array(1024);

Deno.test("a writer waits when 32 KiB wait for the client, and goes on when they were read", async () => {
  const stream = new ClientStream({
    interval: 60,
    keepAlive: { before: "", between: "" },
    respond: (body) => new Response(body),
    onLeave: () => {},
  });
  for (let written = 1; written < 32; written++) assert.equal(stream.write(KIB), undefined);
  const slow = stream.write(KIB);
  assert.ok(slow instanceof Promise);
  const reader = (await stream.response).body!.getReader();
  let read = 0;
  let canWrite = false;
  slow.then(() => canWrite = true);
  while (!canWrite) read += (await reader.read()).value!.length;
  assert.ok(read > 0 && read <= 32 * 1024, `${read} bytes`);
  stream.close();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    read += part.value.length;
  }
  assert.equal(read, 32 * 1024);
});
