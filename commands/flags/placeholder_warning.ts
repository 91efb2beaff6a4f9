/**
 * A warning about placeholders in text that is not a template.
 *
 * @module
 */
import { writeNote, writeWarning } from "../terminal/output.ts";

const PLACEHOLDER = /\{\{\s*[^\s{}](?:[^{}]*[^\s{}])?\s*\}\}/;

/**
 * Warns when `text`, called `name`, contains a `{{field}}` that is sent literally; `remedy` completes
 * "placeholders are filled in only …".
 */
export function warnOfBraces(
  name: string,
  text: string | undefined,
  remedy: string,
  note: (line: string) => void = writeNote,
): void {
  const [placeholder] = PLACEHOLDER.exec(text ?? "") ?? [];
  if (placeholder === undefined) return;
  writeWarning(
    `${name} contains ${placeholder}, which is sent as it is: placeholders are filled in only ${remedy}`,
    note,
  );
}
