/**
 * Decides who may read the operator's pages.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { hash, timingSafeEqual } from "node:crypto";
import { remoteAddress } from "../../runtime/remote_address.ts";
import { isLoopback } from "../../transport/loopback.ts";
import type { Arrival } from "./arrival.ts";
import { bearerToken } from "./credentials.ts";

/** Headers with which proxies name their client: the connection alone then says nothing about who asks. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via", "cf-connecting-ip"];

/** Whether two secrets are equal, in a time that depends on neither. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}

/** The password of an `Authorization: Basic` header; the user name is ignored. */
function basicPassword(value: string | null): string | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(value ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : text.slice(colon + 1);
}

/** Whether a request comes from a program on this machine, as far as that can be known. */
export function isLocal({ request, connection }: Arrival): boolean {
  const address = remoteAddress(connection, request);
  if (address === undefined || !isLoopback(address.replace(/^::ffff:/i, ""))) return false;
  return !PROXY_HEADERS.some((name) => request.headers.has(name));
}

/** The refusal of a request for an operator's page; `undefined` if it is allowed. */
export function refuseAdmin(arrival: Arrival, adminKey: string | undefined): Response | undefined {
  if (adminKey === undefined) {
    if (isLocal(arrival)) return undefined;
    const text = "Only programs on the gateway's own machine may read this page. " +
      "To read it from elsewhere, start the gateway with an admin key.\n";
    return new Response(text, { status: 403, headers: PLAIN });
  }
  const authorization = arrival.request.headers.get("authorization");
  const given = bearerToken(authorization) ?? basicPassword(authorization);
  if (given !== undefined && isSameSecret(given, adminKey)) return undefined;
  const text = given === undefined
    ? "This page needs the admin key: as a bearer token, or as the password of any user.\n"
    : "This is not the admin key.\n";
  const challenge = 'Basic realm="flexllm gateway", charset="UTF-8"';
  return new Response(text, { status: 401, headers: { ...PLAIN, "www-authenticate": challenge } });
}

const PLAIN = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};
