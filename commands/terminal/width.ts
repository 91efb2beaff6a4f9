/**
 * Measures text in columns of a terminal.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";

/** The width of `text` in columns. Styles and other escape sequences have none. */
export function widthOf(text: string): number {
  return stringWidth(text).width;
}
