/**
 * Keys that would go over the network for everybody on the way to read.
 *
 * @module
 */
import { secretsOf } from "../redact.ts";
import { isEmptyKey } from "./key_state.ts";

/** Names and addresses of this machine and of networks that are one's own. */
function isNear(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host.includes(":")) return /^(::1$|::ffff:7f|f[cd]|fe[89ab])/.test(host);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host);
  }
  // A name without a dot is one of the local network, such as that of a container.
  return !host.includes(".") ||
    /\.(localhost|local|internal|lan|home\.arpa|test)\.?$/.test(host);
}

/** What a key is sent to. */
export interface KeyedServer {
  baseUrl?: string;
  apiKey?: string;
  headers?: Record<string, string>;
}

/**
 * A warning when the key or the headers of `server` would leave the local network unencrypted;
 * `undefined` when all is well.
 */
export function cleartextWarning(
  { baseUrl, apiKey, headers = {} }: KeyedServer,
): string | undefined {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  if (url?.protocol !== "http:" || isNear(url.hostname)) return undefined;
  const hasSecret = secretsOf({ apiKey: apiKey?.trim(), headers }).some((text) =>
    text !== "" && !isEmptyKey(text)
  );
  if (!hasSecret) return undefined;
  return `the key for ${url.host} is sent unencrypted, for everybody on the way to read: use https`;
}
