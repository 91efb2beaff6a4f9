/**
 * Decides whether workers on other machines send records of a batch, through Redis.
 *
 * @module
 */
import { ConfigurationError } from "../../../lib/errors.ts";
import type { RedisSettings } from "../../../lib/redis/redis_settings.ts";
import type { BatchFlags } from "../flags.ts";
import type { SendingMode } from "../jobs/job_settings.ts";

/** How a batch shares its records with workers. */
export interface FleetSettings {
  redis: RedisSettings;
  /** The name that the user gave to the job. */
  job: string | undefined;
  /** Whether this process sends nothing itself. */
  workersOnly: boolean;
  /** Whether slow records are sent to a second worker near the end. */
  hedge: boolean;
  /** Seconds after which the records of a silent worker go to others. */
  lease: number | undefined;
}

/** The flags about workers. */
export type FleetFlags = Pick<BatchFlags, "job" | "workersOnly" | "hedge" | "lease" | "estimate">;

function givenFlags({ job, workersOnly, hedge, lease }: FleetFlags): string[] {
  const given: [name: string, isGiven: boolean][] = [
    ["--job", job !== undefined],
    ["--workers-only", workersOnly === true],
    ["--hedge", hedge === true],
    ["--lease", lease !== undefined],
  ];
  return given.filter(([, isGiven]) => isGiven).map(([name]) => name);
}

/**
 * How the batch shares its records; `undefined` if it sends them all itself.
 *
 * @throws {ConfigurationError} if flags about workers are given without a server, or exclude others
 */
export function fleetSettings(
  flags: FleetFlags,
  mode: SendingMode,
  redis: RedisSettings | undefined,
): FleetSettings | undefined {
  const given = givenFlags(flags);
  if (given.length > 0) {
    const verb = given.length === 1 ? "needs" : "need";
    if (redis === undefined) {
      throw new ConfigurationError(`${given.join(" and ")} ${verb} a Redis server`, {
        hint: "Add --redis URL, or set FLEXLLM_REDIS_URL.",
      });
    }
    if (mode.via !== "live") {
      const other = mode.via === "provider" ? "--via provider" : `--${mode.via}`;
      throw new ConfigurationError(
        `${given.join(" and ")} and ${other} exclude each other: workers send live requests`,
        { hint: `Remove ${given.join(" and ")}, or ${other}.` },
      );
    }
  }
  if (redis === undefined || mode.via !== "live" || flags.estimate) return undefined;
  const { job, workersOnly = false, hedge = false, lease } = flags;
  return { redis, job, workersOnly, hedge, lease };
}
