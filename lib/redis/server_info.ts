/**
 * Reads what a server says about itself, and checks that it can be used.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { RedisAddress } from "./redis_address.ts";

/** The oldest version with all commands that are used here. */
const OLDEST_VERSION = [6, 2] as const;

/** What `INFO` says about a server. */
export interface ServerInfo {
  version: string;
  /** `noeviction` unless keys are deleted when the memory is full. */
  evictionPolicy: string | undefined;
  isReadOnlyReplica: boolean;
  /** Changes with every start of a server. */
  runId: string;
}

/** Parses the reply to `INFO`. */
export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map(
    text.split("\n").map((line) => line.trim().split(/:(.*)/s, 2) as [string, string]),
  );
  return {
    version: fields.get("redis_version") ?? "",
    evictionPolicy: fields.get("maxmemory_policy"),
    runId: fields.get("run_id") ?? "",
    isReadOnlyReplica: fields.get("role") === "slave" && fields.get("slave_read_only") !== "0",
  };
}

/**
 * Checks that a server can be used.
 *
 * @throws {ConfigurationError} if it is a read-only replica or too old
 */
export function checkServer(
  { version, isReadOnlyReplica }: ServerInfo,
  address: RedisAddress,
): void {
  const at = `Redis at ${address.shown}`;
  if (isReadOnlyReplica) {
    throw new ConfigurationError(`${at} is a read-only replica`, {
      hint: "Use the address of its primary server.",
    });
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new ConfigurationError(
      `${at} has version ${version || "unknown"}; flexllm needs Redis ${
        OLDEST_VERSION.join(".")
      } or newer`,
      { hint: "Update the server, or use Valkey." },
    );
  }
}
