/**
 * Opens a message in the user's editor.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../../lib/errors.ts";
import { fileReason } from "../../lib/files/reasons.ts";
import { openEditor } from "../config/editor.ts";

/**
 * Opens `text` in `$VISUAL` or `$EDITOR` and returns the edited text, without white space at its end.
 *
 * @throws {FlexLLMError} if the editor fails or is interrupted
 */
export async function composeMessage(text: string): Promise<string> {
  let folder: string;
  let file: string;
  try {
    // Only the user can read the folder. Editors choose syntax colors by the extension.
    folder = mkdtempSync(join(tmpdir(), "flexllm-"));
    file = join(folder, "message.md");
    writeFileSync(file, text === "" ? "" : `${text}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new InvalidInputError(
      `cannot write to the temporary folder ${tmpdir()}: ${fileReason(cause)}`,
      { cause, hint: "Free up space there, or set TMPDIR to another folder." },
    );
  }
  try {
    await openEditor(file);
    return readFileSync(file, "utf8").replace(/\r\n/g, "\n").trimEnd();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
