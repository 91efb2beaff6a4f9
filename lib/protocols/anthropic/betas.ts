/**
 * Selects the beta features that a server gets to see: other hosts of Anthropic's models refuse requests with
 * a flag that they do not know.
 *
 * Sources: Anthropic API reference, "Beta headers"; Amazon Bedrock, "Anthropic Claude Messages API"
 * (`anthropic_beta`); Vertex AI, "Claude: supported features".
 *
 * @module
 */
import type { Endpoint } from "../protocol.ts";

/** Flags without their date that Bedrock and Vertex AI both document, or ignore. */
const PORTABLE: ReadonlySet<string> = new Set([
  "claude-code",
  "computer-use",
  "context-1m",
  "context-management",
  "dev-full-thinking",
  "effort",
  "fine-grained-tool-streaming",
  "interleaved-thinking",
  "output-128k",
  "prompt-caching",
  "token-efficient-tools",
  "tool-examples",
  "tool-search-tool",
]);

function flagsOf(header: string | null | undefined): string[] {
  return (header ?? "").split(",").map((flag) => flag.trim()).filter((flag) => flag !== "");
}

/** The value of a header that the user configured for an endpoint, under any spelling of its name. */
function configured({ headers }: Endpoint, header: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === header)?.[1];
}

/**
 * Returns the flags of `anthropic-beta` for an endpoint: the client's, of which a service other than
 * Anthropic's own API only gets known ones, and those that the user configured for the endpoint.
 */
export function betasFor(endpoint: Endpoint, requested: string | null | undefined): string[] {
  const isForeign = endpoint.service !== undefined;
  const flags = flagsOf(requested).filter((flag) =>
    !isForeign || PORTABLE.has(flag.replace(/-\d{4}-\d{2}-\d{2}$|-\d{8}$/, ""))
  );
  return [...new Set([...flags, ...flagsOf(configured(endpoint, "anthropic-beta"))])];
}
