/**
 * Reads the virtual key of a request from all the places in which clients send one.
 *
 * @module
 */
import { GatewayError } from "../gateway_error.ts";
import type { Arrival } from "./arrival.ts";

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(value: string | null): string | undefined {
  if (value === null) return undefined;
  const token = /^Bearer +(\S.*)$/i.exec(value)?.[1].trim();
  return token || undefined;
}

/**
 * The key that a request carries; `undefined` if it has none.
 *
 * @throws {GatewayError} 401 if it carries several different keys: which one counts must not depend on the
 *   order of checks
 */
export function clientSecret({ request: { headers }, query }: Arrival): string | undefined {
  let secret = bearerToken(headers.get("authorization"));
  let place = "authorization";
  const consider = (value: string | null, name: string) => {
    const other = value?.trim();
    if (!other || other === secret) return;
    if (secret !== undefined) {
      throw new GatewayError(
        401,
        `the request has different API keys in ${place} and ${name}`,
        { reason: "invalid_api_key", hint: "Send only one of them." },
      );
    }
    secret = other;
    place = name;
  };
  consider(headers.get("x-api-key"), "x-api-key");
  consider(headers.get("x-goog-api-key"), "x-goog-api-key");
  // Clients of Azure OpenAI.
  consider(headers.get("api-key"), "api-key");
  consider(query.get("key"), "the query parameter key");
  return secret;
}
