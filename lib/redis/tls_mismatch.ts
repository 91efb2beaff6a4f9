/**
 * Finds out whether a connection failed because only one side uses TLS.
 *
 * Such a server does not say so: it waits for the rest of a command, or closes the connection.
 *
 * @module
 */
import { connect as connectPlain, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { connect as connectEncrypted } from "node:tls";
import type { RedisAddress } from "./redis_address.ts";
import type { TlsMismatch } from "./redis_error.ts";

/** Milliseconds for a second connection. */
const TIMEOUT = 2000;
/** How replies to `PING` begin: `+PONG`, or an error such as `-NOAUTH`. */
const REPLY = /^[+-][A-Z]/;
/** Errors of connections that never reached a server. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/**
 * Connects the other way after a connection has failed with `error`. Sends no user and no password, and reads
 * nothing that could matter, so the certificate is not checked.
 */
export async function tlsMismatch(
  error: unknown,
  { host, port, tls }: RedisAddress,
): Promise<TlsMismatch | undefined> {
  if (!(error instanceof Error) || error.name === "ReplyError") return undefined;
  if ("code" in error && UNREACHABLE.has(String(error.code))) return undefined;
  // The server has shown a certificate.
  if (tls && /certificate|CERT_/i.test(`${"code" in error ? error.code : ""} ${error.message}`)) {
    return undefined;
  }
  if (tls) return await answersPlainly(host, port) ? "server is plain" : undefined;
  return await answersTls(host, port) ? "server is encrypted" : undefined;
}

function answersPlainly(host: string, port: number): Promise<boolean> {
  const socket = connectPlain({ host, port });
  return within(socket, (resolve) => {
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (data) => resolve(REPLY.test(String(data))));
  });
}

function answersTls(host: string, port: number): Promise<boolean> {
  const socket = connectEncrypted({ host, port, rejectUnauthorized: false });
  return within(socket, (resolve) => {
    socket.on("secureConnect", () => resolve(true));
  });
}

/** Resolves with what `listen` finds out; `false` if the connection fails or takes too long. */
async function within(
  socket: Socket,
  listen: (resolve: (answer: boolean) => void) => void,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), TIMEOUT);
  socket.on("error", () => resolve(false));
  socket.on("close", () => resolve(false));
  listen(resolve);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
