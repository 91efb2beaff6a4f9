/**
 * The errors of Redis, and what they mean.
 *
 * @module
 */
import { ConfigurationError, FlexLLMError } from "../errors.ts";
import type { RedisAddress } from "./redis_address.ts";

/** Redis cannot be used now: it is unreachable, frozen, still loading its data, or cannot write. */
export class RedisUnavailableError extends FlexLLMError {
  /** Always `"RedisUnavailableError"`. */
  override name = "RedisUnavailableError";

  /** Creates the error for the server at `address`. */
  constructor(address: RedisAddress, reason: string, cause?: unknown) {
    super("unavailable", `Redis at ${address.shown} cannot be used: ${reason}`, {
      cause,
      hint: "Check that the server runs and can be reached; flexllm connects again by itself.",
    });
  }
}

/** Replies that refuse a user, a password or the rights of a user. */
const REFUSED_LOGIN = /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH|NOPERM)/;

const NO_REDIS = "it is no Redis server";
const MEMORY_FULL = "its memory is full";

/** Replies that say that the server cannot do its work now, with what they mean. */
const UNAVAILABLE: readonly [RegExp, string][] = [
  [/^LOADING/, "it is loading its data"],
  [/^BUSY /, "it is busy with a script"],
  [/^MASTERDOWN/, "it has lost its primary server"],
  [/^(NOREPLICAS|TRYAGAIN|CLUSTERDOWN)/, "it does not accept writes"],
  [/^(WRONGPASS|NOAUTH|ERR AUTH)/, "it refuses the login"],
  [/^ERR max number of clients/, "it has too many connections"],
  // Older servers report what a script has met in the middle of the text.
  [/(^|: -)READONLY/, "it is a read-only replica"],
  [/(^|: -)OOM/, MEMORY_FULL],
  [/(^|: -)MISCONF/, "it cannot save its data"],
];

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why the server cannot be used now; `undefined` if the error is a reply about the command. */
export function unavailability(error: unknown): string | undefined {
  const isReply = error instanceof Error && error.name === "ReplyError";
  if (!isReply) return connectionReason(error);
  return UNAVAILABLE.find(([pattern]) => pattern.test(error.message))?.[1];
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host was not found",
  EAI_AGAIN: "the host was not found",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ECONNRESET: "the connection was closed; perhaps it expects rediss://, or is no Redis server",
  EPIPE: "the connection was closed",
};

/** How the client library says that a connection has ended, or that there is none. */
const CLOSED = /^(Connection is closed|Command aborted|Reached the max retries|Stream isn't writ)/;

/** The reason why a connection failed, in words. */
export function connectionReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = textOf(error);
  if (CODES[code] !== undefined) return CODES[code];
  if (CLOSED.test(text)) return "the connection was closed";
  if (/certificate|self.signed|CERT_|UNABLE_TO_VERIFY/i.test(`${code} ${text}`)) {
    return `its certificate is not trusted (${text})`;
  }
  if (/wrong version number|packet length|SSL routines|InvalidContentType/i.test(text)) {
    return "it does not speak TLS; use redis:// if that is intended";
  }
  if (/Unknown RESP type|Protocol error/i.test(text)) return NO_REDIS;
  return text || code || "unknown reason";
}

/** Why the server cannot be used now, if that may pass by itself; `undefined` if the address or the login is wrong. */
export function temporaryReason(error: unknown): string | undefined {
  if (error instanceof ConfigurationError) return undefined;
  const text = textOf(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOTFOUND" || REFUSED_LOGIN.test(text)) return undefined;
  const reason = unavailability(error);
  return reason?.startsWith("its certificate") || reason?.startsWith(NO_REDIS) ? undefined : reason;
}

/** Whether an address and its server disagree about encryption. */
export type TlsMismatch = "server is plain" | "server is encrypted";

/** What to say about a server that does not use the encryption of its address, and what to do. */
const MISMATCHES: Readonly<Record<TlsMismatch, [reason: string, hint: string]>> = {
  "server is plain": [
    "it does not speak TLS",
    "Use redis:// instead of rediss://, or turn on TLS at the server.",
  ],
  "server is encrypted": ["it speaks only TLS", "Use rediss:// instead of redis://."],
};

/** What an operator can do about a server that cannot be used when a command starts. */
function startHint(reason: string): string {
  if (reason === MEMORY_FULL) {
    return "Raise its maxmemory, or delete what is not needed, e.g. with `flexllm cache prune`.";
  }
  return "Check the URL, and that the server runs and can be reached.";
}

/**
 * The error to report if the server cannot be used when a command starts.
 *
 * @param mismatch whether address and server disagree about encryption, as far as is known
 */
export function startError(
  error: unknown,
  address: RedisAddress,
  mismatch?: TlsMismatch,
): FlexLLMError {
  if (error instanceof ConfigurationError) return error;
  const text = textOf(error);
  const at = `Redis at ${address.shown}`;
  if (mismatch !== undefined) {
    const [reason, hint] = MISMATCHES[mismatch];
    return new ConfigurationError(`${at} cannot be used: ${reason}`, { cause: error, hint });
  }
  if (REFUSED_LOGIN.test(text)) {
    const isPermission = text.startsWith("NOPERM");
    return new ConfigurationError(
      isPermission
        ? `${at} does not allow what flexllm needs: ${text}`
        : `${at} refused the login: ${text.startsWith("NOAUTH") ? "it requires a password" : text}`,
      {
        cause: error,
        hint: isPermission
          ? `Allow the user all commands on the keys "${address.prefix}:*".`
          : "Check the user and the password in the URL: redis://USER:PASSWORD@HOST:PORT.",
      },
    );
  }
  if (/^ERR (invalid DB index|DB index is out of range|SELECT is not allowed)/.test(text)) {
    return new ConfigurationError(`${at} has no database ${address.database}`, {
      cause: error,
      hint: "Use another number at the end of the URL, or none.",
    });
  }
  const reason = unavailability(error) ?? text;
  return new ConfigurationError(`${at} cannot be used: ${reason}`, {
    cause: error,
    hint: startHint(reason),
  });
}
