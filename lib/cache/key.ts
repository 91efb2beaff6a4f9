/**
 * Derives the key of a request in the response cache: the encoded request, without fields that don't change
 * the answer.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonicalJson } from "../json/canonical.ts";
import { asObject, parseExact } from "../json/json.ts";
import type { NeutralFields, Protocol } from "../protocols/protocol.ts";

/** Part of each key. Raise it when the format of keys or entries changes, so that old entries are not found. */
const KEY_VERSION = 1;

/** The parts of a cache key. */
export interface CacheKeyParts {
  /**
   * Separates caches that share a store.
   *
   * @default ""
   */
  namespace?: string;
  /** The normalized base URL. */
  baseUrl: string;
  /** The wire format of the body. */
  protocol: Pick<Protocol, "name" | "neutralFields">;
  /** The requested model, which Gemini's body does not contain. */
  model: string;
  /** The encoded body. Headers, and with them the API key, are not part of the key. */
  body: string;
}

/** The body in canonical form, without fields that don't change the answer. */
function canonicalBody(text: string, neutral: NeutralFields): string {
  const value = parseExact(text);
  const body = asObject(value);
  if (body !== undefined) {
    for (const name in neutral) {
      if (!(name in body)) continue;
      const values = neutral[name];
      if (values === true || values.includes(canonicalJson(body[name]))) delete body[name];
    }
  }
  return canonicalJson(value);
}

/**
 * Returns the key: 256 bits as 43 characters. Requests have the same key if they differ only in the order
 * of their fields, in options that restate a default, and in whether they stream.
 */
export function cacheKey(
  { namespace = "", baseUrl, protocol, model, body }: CacheKeyParts,
): string {
  const scope = JSON.stringify([KEY_VERSION, namespace, baseUrl, protocol.name, model]);
  return hash("sha256", `${scope}\n${canonicalBody(body, protocol.neutralFields)}`, "base64url");
}
