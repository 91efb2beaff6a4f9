/** Gateways that share keys, limits and budgets through a Redis server. */
import assert from "node:assert/strict";
import type { KeyAccess } from "../../lib/gateway/access/key_access.ts";
import {
  openSharedAccess,
  type SharedAccessOptions,
} from "../../lib/gateway/access/open_shared_access.ts";
import type { RedisCommand } from "../../lib/redis/redis_connection.ts";
import { DEFAULT_STORE_LOSS } from "../../lib/redis/redis_settings.ts";
import { shareConnection } from "../../lib/redis/shared_connection.ts";
import { RedisServer, redisServer } from "./redis_server.ts";

const NEVER = new AbortController().signal;
const USAGE = { promptTokens: 1, completionTokens: 1, totalTokens: 2 };

export function gatewayTest(name: string, fn: (server: RedisServer) => Promise<void>): void {
  Deno.test({
    name,
    ignore: redisServer === undefined,
    async fn() {
      await using server = await RedisServer.start();
      await fn(server);
    },
  });
}

export function openGateway(
  server: RedisServer,
  options: Partial<SharedAccessOptions> = {},
): Promise<KeyAccess> {
  return openSharedAccess({
    redis: { address: server.address(), onStoreLoss: DEFAULT_STORE_LOSS },
    allowAnonymous: true,
    maxBudgetWait: 0.5,
    ...options,
  });
}

export function admit(access: KeyAccess, cost: number, secret?: string) {
  const demand = { route: "m", promptTokens: 1, completionTokens: 1, cost };
  return access.admit(access.authenticate(secret), demand, NEVER);
}

export function charge(cost: number) {
  return { model: "m", endpoint: "e", usage: USAGE, cost };
}

export function spentOf(access: KeyAccess): number {
  return access.report().find(({ kind }) => kind === "all")!.spent.total;
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`in vain: ${what}`);
}

export async function redisCommand(
  server: RedisServer,
  ...command: RedisCommand
): Promise<unknown> {
  await using share = await shareConnection(server.address());
  return await share.connection.command(command);
}

export async function instances(server: RedisServer): Promise<string[]> {
  return await redisCommand(server, "ZRANGE", "flexllm:gateway:instances", 0, -1) as string[];
}
