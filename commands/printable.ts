/**
 * Keeps what models and servers wrote from steering the terminal.
 *
 * @module
 */

function shown(control: string): string {
  const code = control.charCodeAt(0);
  if (control === "\n" || control === "\t") return control;
  // The carriage return of a line that ends in CR LF.
  if (control === "\r") return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/**
 * `text` with a visible sign in the place of every control character but newlines and tabs. It works
 * character by character, so a text may be given in pieces.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, shown);
}
