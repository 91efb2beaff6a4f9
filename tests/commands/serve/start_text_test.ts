/** The text that a gateway prints when it starts. */
import assert from "node:assert/strict";
import { sharedText } from "../../../commands/serve/start_text.ts";
import type { GatewaySettings } from "../../../lib/config/resolve_gateway.ts";
import { parseRedisAddress } from "../../../lib/redis/redis_address.ts";
import { DEFAULT_STORE_LOSS } from "../../../lib/redis/redis_settings.ts";

function textOf(cache: GatewaySettings["cache"], url = "redis://me:secret@redis.internal/2") {
  const redis = { address: parseRedisAddress(url, "test"), onStoreLoss: DEFAULT_STORE_LOSS };
  return sharedText({ redis, cache } as GatewaySettings);
}

Deno.test("what is shared through which server, without its password", () => {
  assert.equal(sharedText({ redis: undefined, cache: {} } as GatewaySettings), undefined);
  assert.equal(
    textOf(false),
    "Sharing keys, rate limits and budgets with other gateways through Redis at " +
      "redis://me@redis.internal:6379/2.",
  );
  const shared = /^Sharing keys, rate limits, budgets and the cache with/;
  assert.match(textOf({})!, shared);
  assert.match(textOf({ path: "redis://cache" })!, shared);
  assert.doesNotMatch(textOf({ path: "/tmp/cache.sqlite" })!, /cache/);
  assert.doesNotMatch(textOf({ store: "memory" })!, /cache/);
});
