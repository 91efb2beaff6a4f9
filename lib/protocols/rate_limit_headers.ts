/**
 * Reads from response headers how many more requests a server accepts.
 *
 * Sources: OpenRouter, "Limits" (`x-ratelimit-remaining`; the reset is the Unix time, in milliseconds, of
 * the next window); IETF draft "RateLimit header fields" (`ratelimit-remaining`; the reset is in seconds);
 * each protocol's own headers are in its directory.
 *
 * @module
 */

/** How many more requests a server accepts. */
export interface RateLimits {
  /** Requests that may start now. */
  remaining: number;
  /** Seconds until the next request may start once none remain. */
  wait: number;
}

/** The names of the headers of one limit, and what they count. */
export interface RateLimitHeaders {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
  /** Whether the limit counts tokens rather than requests; default no. */
  readonly tokens?: boolean;
  /** Whether the limit refills continuously (token bucket) rather than at the end of a window; default no. */
  readonly refills?: boolean;
}

const common = (prefix: string): RateLimitHeaders => ({
  limit: `${prefix}ratelimit-limit`,
  remaining: `${prefix}ratelimit-remaining`,
  reset: `${prefix}ratelimit-reset`,
});

/** The headers that servers of any format send. */
export const COMMON_RATE_LIMITS: readonly RateLimitHeaders[] = [common("x-"), common("")];

/** An HTTP date in any of its three forms; `Sun, 06 Nov 1994 08:49:37 GMT` is the current one. */
const HTTP_DATE =
  /^(\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT|\w{6,9}, \d{2}-\w{3}-\d{2} [\d:]{8} GMT|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})$/;
/** An RFC 3339 date. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Parses a date in a header to milliseconds since 1970; `undefined` for anything else. `Date.parse` alone
 * accepts most strings that contain a digit.
 *
 * Source: RFC 9110, "Date/Time Formats"; RFC 3339.
 */
export function parseDate(text: string | null): number | undefined {
  const date = text?.trim() ?? "";
  if (!HTTP_DATE.test(date) && !RFC_3339.test(date)) return undefined;
  // The oldest form has no time zone; all are UTC.
  const time = Date.parse(/[Zz]$|[+-]\d{2}:\d{2}$|GMT$/.test(date) ? date : `${date} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/** The current time in milliseconds, from the server's clock if it sent one, since ours may be wrong. */
export function serverTime(headers: Headers, ours: number): number {
  return parseDate(headers.get("date")) ?? ours;
}

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Parses a reset to seconds from now. It is a Go duration (`1m30.5s`), a date, or a number: by its size,
 * seconds from now, a Unix time in seconds, or one in milliseconds.
 */
export function resetSeconds(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text);
    if (value < 1e9) return value;
    return Math.max(0, (value < 1e11 ? value : value / 1000) - now / 1000);
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join("") === text) {
    return parts.reduce((sum, [, value, unit]) => sum + Number(value) * UNITS[unit], 0);
  }
  const date = parseDate(text);
  return date === undefined ? undefined : Math.max(0, (date - now) / 1000);
}

function readLimits(
  names: RateLimitHeaders,
  headers: Headers,
  tokens: number | undefined,
  now: number,
): RateLimits | undefined {
  const remaining = Number(headers.get(names.remaining) ?? NaN);
  // Some servers send 0 or -1 for a limit that they do not know.
  const limit = Number(headers.get(names.limit) ?? NaN);
  const text = headers.get(names.reset)?.trim() ?? "";
  const reset = resetSeconds(text, serverTime(headers, now));
  if (!(remaining >= 0 && limit > 0) || reset === undefined) return undefined;
  const size = names.tokens ? tokens : 1;
  if (size === undefined || !(size > 0)) return undefined;
  const wait = names.refills
    ? Math.min(reset, reset / Math.max(1, limit - remaining) * size)
    : reset;
  return { remaining: Math.floor(remaining / size), wait };
}

/** After `MISSES` responses without such headers, only every `SAMPLE`th response is checked. */
const MISSES = 5;
const SAMPLE = 50;

/** Reads the rate limits of one server, and skips most responses of a server that sends none. */
export class RateLimitReader {
  readonly #all: readonly RateLimitHeaders[];
  /** The headers that this server sends; all, until it has sent some. */
  #sent: readonly RateLimitHeaders[];
  #misses = 0;

  /** Creates a reader that looks for the headers in `all`. */
  constructor(all: readonly RateLimitHeaders[]) {
    this.#all = this.#sent = all;
  }

  /** Whether to check the next response: a server may start to send rate limits at any time. */
  wantsToRead(): boolean {
    return this.#misses < MISSES || ++this.#misses % SAMPLE === 0;
  }

  /**
   * Returns the tightest limit in `headers`; `undefined` when there is none.
   *
   * @param tokens input and output tokens of a typical request; without it, limits of tokens are ignored
   * @param now the local time, in milliseconds since 1970
   */
  read(headers: Headers, tokens: number | undefined, now: number): RateLimits | undefined {
    if (this.#sent === this.#all) {
      const sent = this.#all.filter(({ remaining }) => headers.has(remaining));
      if (sent.length === 0) {
        this.#misses++;
        return undefined;
      }
      this.#sent = sent;
      this.#misses = 0;
    }
    let tightest: RateLimits | undefined;
    for (const names of this.#sent) {
      const limits = readLimits(names, headers, tokens, now);
      if (limits === undefined) continue;
      if (tightest === undefined || limits.remaining < tightest.remaining) tightest = limits;
    }
    return tightest;
  }
}
