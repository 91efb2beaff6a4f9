/**
 * Defines how much is logged.
 *
 * @module
 */

/** How much is logged, and how severe a line is. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** The levels, the fewest lines first. */
export const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Whether a log of `level` has lines of this severity. */
export function isLogged(severity: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(severity) <= LOG_LEVELS.indexOf(level);
}
