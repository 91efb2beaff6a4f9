/**
 * What the headers of an answer say of how many more requests the server takes. Pure.
 *
 * Sources: OpenAI, "Rate limits" (`x-ratelimit-remaining-requests`; the reset is the time until the
 * limit is full again); Anthropic, "Rate limits" (`anthropic-ratelimit-requests-remaining`; token
 * bucket, reset as an RFC 3339 date until it is full again); OpenRouter, "Limits"
 * (`x-ratelimit-remaining`; reset as Unix milliseconds of the next window); IETF draft "RateLimit
 * header fields" (`ratelimit-remaining`; reset in seconds of the window).
 *
 * @module
 */

/** How many more requests a server takes. */
export interface RateLimits {
  /** Requests that may begin now. */
  remaining: number;
  /** Seconds until one more may begin when none remains. */
  wait: number;
}

/** One family of headers. */
interface Family {
  limit: string;
  remaining: string;
  reset: string;
  /** Whether they count tokens. */
  tokens?: true;
  /** Whether the limit fills up again bit by bit, and not at the end of a window. */
  refills?: true;
}

const OPENAI = (unit: string) => ({
  limit: `x-ratelimit-limit-${unit}`,
  remaining: `x-ratelimit-remaining-${unit}`,
  reset: `x-ratelimit-reset-${unit}`,
  refills: true as const,
});
const ANTHROPIC = (unit: string) => ({
  limit: `anthropic-ratelimit-${unit}-limit`,
  remaining: `anthropic-ratelimit-${unit}-remaining`,
  reset: `anthropic-ratelimit-${unit}-reset`,
  refills: true as const,
});
const PLAIN = (prefix: string) => ({
  limit: `${prefix}ratelimit-limit`,
  remaining: `${prefix}ratelimit-remaining`,
  reset: `${prefix}ratelimit-reset`,
});

const FAMILIES: readonly Family[] = [
  OPENAI("requests"),
  { ...OPENAI("tokens"), tokens: true },
  ANTHROPIC("requests"),
  { ...ANTHROPIC("tokens"), tokens: true },
  { ...ANTHROPIC("input-tokens"), tokens: true },
  { ...ANTHROPIC("output-tokens"), tokens: true },
  PLAIN("x-"),
  PLAIN(""),
];

/** An HTTP date in each of its three forms: `Sun, 06 Nov 1994 08:49:37 GMT` is the one in use. */
const HTTP_DATE =
  /^(\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT|\w{6,9}, \d{2}-\w{3}-\d{2} [\d:]{8} GMT|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})$/;
/** A date as RFC 3339 has it. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * A date of a header in milliseconds since 1970; `undefined` for anything else. `Date.parse` alone
 * accepts most strings with a digit.
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

/** The current time in milliseconds, by the server's clock if it is sent, since ours may be wrong. */
export function serverTime(headers: Headers, ours: number): number {
  return parseDate(headers.get("date")) ?? ours;
}

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Seconds until a reset: a duration as Go writes it (`1m30.5s`), a date, or a number, which is seconds
 * from now, a Unix time in seconds, or one in milliseconds, by its size.
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

function readFamily(
  family: Family,
  headers: Headers,
  tokens: number | undefined,
  now: number,
): RateLimits | undefined {
  const remaining = Number(headers.get(family.remaining) ?? NaN);
  // Some servers send 0 or -1 for a limit that they do not know.
  const limit = Number(headers.get(family.limit) ?? NaN);
  const text = headers.get(family.reset)?.trim() ?? "";
  const reset = resetSeconds(text, serverTime(headers, now));
  if (!(remaining >= 0 && limit > 0) || reset === undefined) return undefined;
  const size = family.tokens ? tokens : 1;
  if (size === undefined || !(size > 0)) return undefined;
  const wait = family.refills
    ? Math.min(reset, reset / Math.max(1, limit - remaining) * size)
    : reset;
  return { remaining: Math.floor(remaining / size), wait };
}

/** After `PATIENCE` answers without such headers, only each `EVERY`th answer is checked. */
const PATIENCE = 5;
const EVERY = 50;

/** Reads the headers of one server's answers, as cheaply as they come. */
export class RateLimitReader {
  /** The families that this server sends; all, until it has sent one. */
  #families = FAMILIES;
  #silent = 0;

  /** Whether to read the next answer: a server may begin to send such headers at any time. */
  wantsToRead(): boolean {
    return this.#silent < PATIENCE || ++this.#silent % EVERY === 0;
  }

  /**
   * The tightest of the limits that an answer tells of; `undefined` when it tells of none.
   *
   * @param tokens what a request takes, read and written; limits of tokens are left out without it
   * @param now the time of day here, in milliseconds
   */
  read(headers: Headers, tokens: number | undefined, now: number): RateLimits | undefined {
    if (this.#families === FAMILIES) {
      const sent = FAMILIES.filter(({ remaining }) => headers.has(remaining));
      if (sent.length === 0) {
        this.#silent++;
        return undefined;
      }
      this.#families = sent;
      this.#silent = 0;
    }
    let tightest: RateLimits | undefined;
    for (const family of this.#families) {
      const limits = readFamily(family, headers, tokens, now);
      if (limits === undefined) continue;
      if (tightest === undefined || limits.remaining < tightest.remaining) tightest = limits;
    }
    return tightest;
  }
}
