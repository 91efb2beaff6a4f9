/**
 * Wraps messages and hints to the width of the terminal, but not the commands in them: they are to be copied.
 *
 * @module
 */
import { widthOf } from "./width.ts";
import { wrapped } from "./wrap.ts";

/** A command at the end of a line: `Specify one with -o: flexllm batch …`. */
const COMMAND =
  /^(.*:) ((?:flexllm|vllm|jq|iconv|gunzip|zstd|mkdir|mv|python3?|ulimit|chmod|duckdb) .+)$/;

/** Stands for the spaces of a quoted command while it is wrapped. */
const HARD_SPACE = "\u{e000}";

/** The lines of a message or hint in `columns`; without a width, only its own lines. */
export function hintLines(text: string, columns: number | undefined): string[] {
  return text.split("\n").flatMap((line) => {
    if (columns === undefined || widthOf(line) <= columns) return [line];
    const [, before, command] = COMMAND.exec(line) ?? [];
    if (command !== undefined) return [...sentence(before, columns), `  ${command}`];
    return sentence(line, columns);
  });
}

/** Wraps text in which commands are quoted with backticks. */
function sentence(text: string, columns: number): string[] {
  const quoted = text.replace(/`[^`]*`/g, (command) => command.replaceAll(" ", HARD_SPACE));
  return wrapped(quoted, columns).map((line) => line.replaceAll(HARD_SPACE, " "));
}
