/**
 * Escape sequences that redraw a part of the terminal.
 *
 * Source: ECMA-48; "ctlseqs" of xterm; mode 2026: the "Synchronized Output" spec.
 *
 * @module
 */

/** Defers display until {@link END_UPDATE}; ignored by terminals without support. */
export const BEGIN_UPDATE = "\x1b[?2026h";
/** Displays what was written since {@link BEGIN_UPDATE}. */
export const END_UPDATE = "\x1b[?2026l";
/** Truncates rows instead of wrapping them: the terminal may be narrower than expected. */
export const NO_WRAP = "\x1b[?7l";
/** Wraps rows again. */
export const WRAP = "\x1b[?7h";
/** Erases from the cursor to the end of its row. */
export const ERASE_ROW_END = "\x1b[K";
/** Erases from the cursor to the end of the screen. */
export const ERASE_SCREEN_END = "\x1b[J";
/**
 * Erases from the start of the cursor's row to the end of the screen. It starts at the second column, because
 * tmux treats erasing from the top left corner as clearing the screen and moves the content to its history.
 */
export const ERASE_FROM_ROW = `\r ${ERASE_SCREEN_END}\x1b[2K\r`;

/** Moves the cursor up by `rows`. */
export function cursorUp(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}
