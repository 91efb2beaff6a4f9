/**
 * Opens a file in the user's editor and waits until it exits.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { AbortedError, ConfigurationError } from "../../lib/errors.ts";

const EDITOR_HINT = "Set VISUAL or EDITOR to an editor.";
/** Exit codes of a shell that could not run the editor. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

function spawnEditor(editor: string, file: string) {
  // Through a shell, as git does: EDITOR may contain arguments, such as "code --wait".
  return process.platform === "win32"
    ? spawn(`${editor} "${file}"`, { stdio: "inherit", shell: true })
    : spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
}

/**
 * Opens `file` in `$VISUAL` or `$EDITOR`, by default vi or Notepad.
 *
 * @throws {ConfigurationError} if there is neither an editor nor a terminal, or the editor fails
 * @throws {AbortedError} if the editor is interrupted
 */
export function openEditor(file: string): Promise<void> {
  const { VISUAL, EDITOR } = process.env;
  if (!VISUAL && !EDITOR && !process.stdin.isTTY) {
    throw new ConfigurationError(`cannot edit ${file}: there is no terminal`, {
      hint: EDITOR_HINT,
    });
  }
  const editor = VISUAL || EDITOR || (process.platform === "win32" ? "notepad" : "vi");
  const child = spawnEditor(editor, file);
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new ConfigurationError(`cannot run the editor ${editor}`, { cause, hint: EDITOR_HINT }),
      );
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else if (signal === "SIGINT") reject(new AbortedError("the editor was interrupted"));
      else {
        const message = `the editor ${editor} failed (exit code ${code ?? signal})`;
        // Other codes are the editor's own, such as that of `:cq` in vi.
        const hint = code === NOT_EXECUTABLE || code === NOT_FOUND ? EDITOR_HINT : undefined;
        reject(new ConfigurationError(message, { hint }));
      }
    });
  });
}
