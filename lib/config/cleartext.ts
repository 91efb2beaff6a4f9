/**
 * Warns about API keys that would be sent over an unencrypted connection.
 *
 * @module
 */
import { secretsOf } from "../redact.ts";
import { isDummyKey } from "./key_state.ts";

/** Whether `hostname` is this machine or on a private network. */
function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host.includes(":")) return /^(::1$|::ffff:7f|f[cd]|fe[89ab])/.test(host);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host);
  }
  // Names without a dot are local, e.g. those of containers.
  return !host.includes(".") ||
    /\.(localhost|local|internal|lan|home\.arpa|test)\.?$/.test(host);
}

/** A server and the credentials that are sent to it. */
export interface KeyedServer {
  baseUrl?: string;
  apiKey?: string;
  headers?: Record<string, string>;
}

/**
 * Returns a warning if the key or a secret header of the server would leave the local network
 * unencrypted, otherwise `undefined`.
 */
export function cleartextWarning(
  { baseUrl, apiKey, headers = {} }: KeyedServer,
): string | undefined {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  if (url?.protocol !== "http:" || isPrivate(url.hostname)) return undefined;
  const hasSecret = secretsOf({ apiKey: apiKey?.trim(), headers }).some((text) =>
    text !== "" && !isDummyKey(text)
  );
  if (!hasSecret) return undefined;
  return `the API key for ${url.host} is sent unencrypted, readable by anyone on the network path: ` +
    "use https";
}
