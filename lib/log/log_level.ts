/**
 * Defines how much is logged.
 *
 * @module
 */

/** The levels, the fewest lines first. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** How much is logged, and how severe a line is. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether a log of `level` has lines of this severity. */
export function isLogged(severity: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(severity) <= LOG_LEVELS.indexOf(level);
}
