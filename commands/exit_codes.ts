/** The exit codes of every command. */
export const EXIT = {
  /** Everything succeeded. */
  ok: 0,
  /** Wrong use or configuration; nothing was sent, or nothing more. */
  usage: 1,
  /** The request, or records of a batch, failed. */
  failed: 3,
  /** A batch was stopped by its budget. */
  budget: 4,
  /** Ctrl-C or a signal to end. */
  interrupted: 130,
} as const;
