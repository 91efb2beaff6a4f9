/**
 * Ctrl-C in a batch: once to finish what is in flight, twice to cut it.
 *
 * @module
 */
import process from "node:process";

/** What can be stopped. */
export interface Stoppable {
  /** Begins nothing more. */
  stop(): void;
  /** Cuts what has begun. */
  abort(): void;
}

/** Stops `batch` at SIGINT and SIGTERM until released. */
export function stopOnSignals(
  batch: Stoppable,
  note: (line: string) => void,
): { release(): void } {
  let signals = 0;
  const onSignal = () => {
    if (signals++ === 0) {
      note("Stopping; requests in flight may finish. Ctrl-C again cuts them.");
      batch.stop();
    } else {
      batch.abort();
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    release() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
