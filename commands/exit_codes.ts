/** Defines the exit codes of all commands. */
export const EXIT = {
  /** Everything succeeded. */
  ok: 0,
  /**
   * The command could not start or continue: bad usage, configuration, input, key or file, or an
   * unreachable server in a batch.
   */
  usage: 1,
  /** A request failed, or a batch finished with failed records or, after its deadline, without some results. */
  failed: 3,
  /** A batch stopped at its budget. */
  budget: 4,
  /** A batch is at its provider, and nothing waits for it; rerun the command to collect it. */
  submitted: 5,
  /** The command was interrupted; rerun it to resume. */
  interrupted: 130,
} as const;
