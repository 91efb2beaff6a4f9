/**
 * Defines the flags that name a Redis server.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { HELP_GROUPS } from "./help_groups.ts";

/** Flags of commands that can share limits, a cache or work with other processes. */
export const redisFlags = {
  redis: new Option(
    "--redis <url>",
    "Redis or Valkey server to share cache, limits and budget through (env: FLEXLLM_REDIS_URL)",
  ).helpGroup(HELP_GROUPS.fleet),
  onStoreLoss: new Option(
    "--on-store-loss <policy>",
    "what happens while it cannot be used (default: rates=divide,budget=stop)",
  ).helpGroup(HELP_GROUPS.fleet),
} as const;
