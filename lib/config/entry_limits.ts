/**
 * Reads the limits of a configured model or endpoint.
 *
 * @module
 */
import type { PoolEndpoint } from "../client/client_options.ts";
import type { EndpointEntry, ModelEntry } from "./schema.ts";

/** The limits of an endpoint, and its share of the requests. */
export type EntryLimits = Pick<
  PoolEndpoint,
  "weight" | "concurrencyLimit" | "maxQps" | "maxTpm" | "maxInFlight"
>;

/** The limits of an entry of `models` or `batch.endpoints`. */
export function entryLimits(entry: ModelEntry | EndpointEntry): EntryLimits {
  return {
    weight: entry.weight,
    concurrencyLimit: entry.concurrency_limit ?? undefined,
    maxQps: entry.max_qps ?? undefined,
    maxTpm: entry.max_tpm ?? undefined,
    maxInFlight: entry.max_in_flight ?? undefined,
  };
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** The limits that remain if both apply: the lower ones. The weight is that of the first. */
export function lowerLimits(one: EntryLimits, other: EntryLimits): EntryLimits {
  return {
    weight: one.weight,
    concurrencyLimit: lower(one.concurrencyLimit, other.concurrencyLimit),
    maxQps: lower(one.maxQps, other.maxQps),
    maxTpm: lower(one.maxTpm, other.maxTpm),
    maxInFlight: lower(one.maxInFlight, other.maxInFlight),
  };
}
