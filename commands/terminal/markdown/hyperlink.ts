/**
 * Checks the targets of links before they become hyperlinks of the terminal.
 *
 * @module
 */

/** Source: "Hyperlinks in Terminal Emulators" (OSC 8), which recommends to limit URLs to 2083 bytes. */
const MAX_URL = 2083;

/**
 * Returns `target` as a URL that a terminal may open: http, https or mailto, in printable ASCII. Returns
 * `undefined` for everything else.
 */
export function hyperlink(target: string): string | undefined {
  if (!/^(https?:\/\/|mailto:)/i.test(target) || !URL.canParse(target)) return undefined;
  // Parsing percent-encodes control characters and spaces; a semicolon is allowed in this position.
  const { href } = new URL(target);
  return /^[!-~]+$/.test(href) && href.length <= MAX_URL ? href : undefined;
}
