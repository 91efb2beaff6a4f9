/**
 * Clears live output when Ctrl-Z suspends the process, so that the shell's prompt follows other output.
 *
 * @module
 */
import process from "node:process";

/**
 * Calls `clear` before the process is suspended. The next redraw after it continues restores the output.
 *
 * @returns a function that ends this
 */
export function onSuspension(clear: () => void): () => void {
  // Windows has no such signal.
  if (process.platform === "win32") return () => {};
  const suspend = () => {
    clear();
    // A handled SIGTSTP no longer stops the process.
    process.kill(process.pid, "SIGSTOP");
  };
  process.on("SIGTSTP", suspend);
  return () => process.off("SIGTSTP", suspend);
}
