/**
 * Selects the beta features that a server gets to see: some hosts of Anthropic's models refuse requests with a
 * flag that they do not know, others ignore it.
 *
 * Source: Anthropic API reference, "Beta headers".
 *
 * @module
 */
import type { Endpoint } from "../protocol.ts";

/** The date at the end of a flag, such as `interleaved-thinking-2025-05-14`. */
const DATE = /-\d{4}-?\d{2}-?\d{2}$/;

function flagsOf(header: string | null | undefined): string[] {
  return (header ?? "").split(",").map((flag) => flag.trim()).filter((flag) => flag !== "");
}

/** The value of a header that the user configured for an endpoint, under any spelling of its name. */
function configured({ headers }: Endpoint, header: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === header)?.[1];
}

/**
 * Returns the flags of `anthropic-beta` for an endpoint: those of the client's that its service accepts, and
 * those that the user configured for the endpoint.
 */
export function betasFor(endpoint: Endpoint, requested: string | null | undefined): string[] {
  const accepted = endpoint.service?.anthropicBetas;
  const flags = flagsOf(requested).filter((flag) =>
    accepted === undefined || accepted.includes(flag.replace(DATE, ""))
  );
  return [...new Set([...flags, ...flagsOf(configured(endpoint, "anthropic-beta"))])];
}
