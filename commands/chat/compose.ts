/**
 * Opens a message in the user's editor.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { openEditor } from "../config/editor.ts";
import { writeTemporaryText } from "../config/temporary_text.ts";

/**
 * Opens `text` in `$VISUAL` or `$EDITOR` and returns the edited text, without white space at its end.
 *
 * @throws {FlexLLMError} if the editor fails or is interrupted
 */
export async function composeMessage(text: string): Promise<string> {
  const file = writeTemporaryText("message.md", text === "" ? "" : `${text}\n`);
  try {
    await openEditor(file.path);
    return readFileSync(file.path, "utf8").replace(/\r\n/g, "\n").trimEnd();
  } finally {
    file.remove();
  }
}
