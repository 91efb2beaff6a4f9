/**
 * The settings of a batch's clients: limits, retries and timeouts from flags and configuration.
 *
 * @module
 */
import type { ClientOptions } from "../../lib/client/client_options.ts";
import type { BatchSection } from "../../lib/config/schema.ts";

/** The flags for the requests of a batch. */
export interface RequestFlags {
  concurrency?: number;
  maxQps?: number;
  maxTpm?: number;
  /** Maximum requests in flight over all processes. */
  maxInFlight?: number;
  /** Whether to adapt to the limits of the server. */
  adaptive: boolean;
  maxWait?: number;
  timeout?: number;
  retryTimes?: number;
}

/** The settings of the clients. Flags take precedence over the `batch` section of the configuration. */
export function clientSettings(flags: RequestFlags, section: BatchSection) {
  return {
    concurrencyLimit: flags.concurrency ?? section.concurrency ?? undefined,
    maxQps: flags.maxQps ?? section.max_qps ?? undefined,
    maxTpm: flags.maxTpm ?? section.max_tpm ?? undefined,
    maxInFlight: flags.maxInFlight ?? section.max_in_flight ?? undefined,
    adaptive: flags.adaptive && (section.adaptive ?? true),
    maxWait: flags.maxWait ?? section.max_wait ?? undefined,
    timeout: flags.timeout ?? section.timeout ?? undefined,
    retryTimes: flags.retryTimes ?? section.retry_times ?? undefined,
    retryDelay: section.retry_delay ?? undefined,
  } satisfies ClientOptions;
}
