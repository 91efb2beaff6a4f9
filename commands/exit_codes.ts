/** The exit codes of every command. */
export const EXIT = {
  /** Everything succeeded. */
  ok: 0,
  /**
   * It could not begin, or not go on: wrong use, configuration, input or key, a file that cannot be used,
   * a batch whose server stays away.
   */
  usage: 1,
  /** A request failed, or a batch went to its end and some of its records failed. */
  failed: 3,
  /** A batch was stopped by its budget. */
  budget: 4,
  /** It was interrupted; the same command goes on. */
  interrupted: 130,
} as const;
