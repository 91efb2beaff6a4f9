/**
 * Keeps API keys out of everything that is shown or stored.
 *
 * @module
 */

/** What stands in the place of a key. */
export const REDACTED = "[key removed]";

/** `text` without any of the `secrets`; very short ones (placeholders such as `x`) are left. */
export function redact(text: string, ...secrets: (string | undefined)[]): string {
  let result = text;
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= 6) result = result.replaceAll(secret, REDACTED);
  }
  return result;
}

/** The part of a URL that is safe to show: credentials and the query may hold a key. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/$/, "")}`;
}

/** A key as a person may see it: its end, for telling keys apart, or nothing of a short one. */
export function maskKey(key: string): string {
  return key.length >= 16 ? `…${key.slice(-4)}` : "…";
}

/** A URL as a file has it, perhaps not a valid one, without what may be secret. */
export function safeUrl(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//").replace(/[?#].*$/s, "");
}
