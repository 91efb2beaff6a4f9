/**
 * Checks and normalizes the base URL of a server.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { safeUrl } from "../redact.ts";

/**
 * Returns `text` in its normal form: without a trailing slash, and without `/chat/completions`.
 *
 * @throws {ConfigurationError} when it is not an HTTP URL, or contains what requests don't send
 */
export function normalizeBaseUrl(text: string): string {
  const url = URL.parse(text);
  // The error must not reveal a password in the URL.
  const shown = safeUrl(text).replace(/^.*@/s, "…@");
  if (/^https?:/i.test(text) && (url === null || !/^https?:\/\/[^/]/i.test(text))) {
    throw new ConfigurationError(`the base URL "${shown}" is not a valid URL`, {
      hint: "Use a URL such as https://host/v1; ports go up to 65535.",
    });
  }
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    const isHost = /^[\w.-]+(:\d+)?(\/|$)/.test(text);
    const scheme = /^(localhost|127\.|\d+\.\d+\.)/.test(text) ? "http" : "https";
    throw new ConfigurationError(`base URL "${shown}" does not begin with http:// or https://`, {
      hint: isHost ? `Did you mean ${scheme}://${shown}?` : "Use a URL such as https://host/v1.",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigurationError("the base URL contains a user name or password", {
      hint:
        "Send them in a header instead: headers: {authorization: Basic …} in the configuration.",
    });
  }
  if (url.hash !== "") {
    throw new ConfigurationError(
      `the base URL "${url.origin}${url.pathname}…" contains a fragment, which is never sent`,
      { hint: "Remove the # and everything after it." },
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
  return url.href.replace(/\/+$/, "");
}
