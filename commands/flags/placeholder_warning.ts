/**
 * Warns about `{{placeholders}}` in text that is not a template.
 *
 * @module
 */
import { warning, writeNote } from "../terminal/output.ts";

const PLACEHOLDER = /\{\{\s*[^\s{}](?:[^{}]*[^\s{}])?\s*\}\}/;

/**
 * Warns if `text`, described by `name`, contains a `{{field}}`, which is sent literally.
 *
 * @param remedy completes "placeholders are filled in only …"
 */
export function warnAboutPlaceholders(
  name: string,
  text: string | undefined,
  remedy: string,
  note: (line: string) => void = writeNote,
): void {
  const [placeholder] = PLACEHOLDER.exec(text ?? "") ?? [];
  if (placeholder === undefined) return;
  note(warning(
    `${name} contains ${placeholder}, which is sent literally: ` +
      `placeholders are filled in only ${remedy}`,
  ));
}
