/** Finding out that no collector is there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { unreachable } from "../../lib/telemetry/export/reachable.ts";

async function listening() {
  const server = createServer((socket) => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/v1/traces?key=secret` };
}

Deno.test("collectors are unreachable if all of them refuse connections", async () => {
  const [first, second] = await Promise.all([listening(), listening()]);
  assert.equal(await unreachable([first.url, second.url]), undefined);
  first.server.close();
  await once(first.server, "close");
  const error = await unreachable([first.url]);
  assert.match(`${(error as { code?: string }).code} ${error?.message}`, /refused/i);
  assert.equal(await unreachable([first.url, second.url]), undefined);
  second.server.close();
  await once(second.server, "close");
  assert.ok(await unreachable([first.url, second.url]));
});
