/**
 * Lists the API versions of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Versions".
 *
 * @module
 */

/** The version that all servers know. Anthropic's newest one rejects sampling options. */
export const VERSION = "2023-06-01";

/** The newest version, which only Anthropic's own host is known to accept. */
export const NEWEST_VERSION = "2026-10-21";

/** Whether a URL is at Anthropic's own host. */
export function isAnthropicHost(url: string): boolean {
  return new URL(url).hostname === "api.anthropic.com";
}
