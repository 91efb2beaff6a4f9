/**
 * Parses the address of a Redis or Valkey server.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";

/** The default prefix of all keys. */
export const DEFAULT_PREFIX = "flexllm";

/** The address of a server, and the keys that are used there. */
export interface RedisAddress {
  host: string;
  port: number;
  /** Whether the connection is encrypted (`rediss://`). */
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** The number of the database. */
  database: number;
  /** What all keys begin with, before a colon. Fleets with different prefixes share nothing. */
  prefix: string;
  /** The address without the password, for messages. */
  shown: string;
}

const EXAMPLE = "redis://localhost:6379, or rediss://USER:PASSWORD@HOST:PORT/DATABASE";

function invalid(source: string, problem: string): ConfigurationError {
  return new ConfigurationError(`${source}: ${problem}`, { hint: `An example is ${EXAMPLE}.` });
}

function decoded(text: string, source: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(source, "the user name or the password is not percent-encoded correctly");
  }
}

/** The URL of a Redis server as somebody wrote it, perhaps not a valid one, without its user and password. */
export function maskRedisUrl(text: string): string {
  // A password that is not encoded may hold any character.
  return text.replace(/^(\s*\w+:\/\/).*@/s, "$1…@");
}

/**
 * Parses a URL such as `rediss://user:password@host:6380/2`.
 *
 * @param source where the URL is from, for errors, such as `--redis`
 * @throws {ConfigurationError} if it is no such URL; its text is not repeated, since it may hold a password
 */
export function parseRedisAddress(
  url: string,
  source: string,
  prefix: string = DEFAULT_PREFIX,
): RedisAddress {
  const text = url.trim();
  if (!/^rediss?:\/\//i.test(text)) {
    throw invalid(source, "expected a URL that begins with redis:// or rediss://");
  }
  // Only the scheme http makes the URL parser check and normalize hosts.
  let parsed: URL;
  try {
    parsed = new URL(text.replace(/^rediss?:/i, "http:"));
  } catch {
    throw invalid(source, "not a valid URL");
  }
  const { hostname, port, pathname, search, hash } = parsed;
  if (hostname === "") throw invalid(source, "the host is missing");
  if (search !== "" || hash !== "") {
    throw invalid(source, "parameters after ? or # are not supported");
  }
  const database = pathname.replace(/^\//, "");
  if (!/^\d{0,5}$/.test(database)) {
    throw invalid(source, `expected the number of a database after the host, not "${pathname}"`);
  }
  if (!/^[\w.:-]{1,100}$/.test(prefix)) {
    throw new ConfigurationError(
      "redis prefix: expected up to 100 letters, digits and the characters . _ : -",
    );
  }
  const tls = /^rediss:/i.test(text);
  // The default port of http is left out by the parser.
  const written = /^[^/]*\/\/(?:[^/@]*@)?[^/]*:(\d+)/.exec(text)?.[1];
  const number = Number(port || written || 6379);
  const username = decoded(parsed.username, source);
  const scheme = tls ? "rediss" : "redis";
  return {
    // Without the brackets of an IPv6 address.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: number,
    tls,
    username,
    password: decoded(parsed.password, source),
    database: Number(database),
    prefix,
    shown: `${scheme}://${username === undefined ? "" : `${username}@`}${hostname}:${number}` +
      (database === "" ? "" : `/${database}`),
  };
}
