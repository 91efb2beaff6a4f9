/**
 * Writes Markdown tables, as GitHub and most editors show them.
 *
 * @module
 */
import { cellText } from "../cell_text.ts";
import type { TableWriter } from "./table_writer.ts";

/** A cell on one line, in which Markdown cannot end the cell and HTML is text. */
function cell(text: string): string {
  return text.replace(/[&<\\|`*_[\]]|\r\n|[\r\n]/g, (found) => {
    if (found === "&") return "&amp;";
    if (found === "<") return "&lt;";
    return /[\r\n]/.test(found) ? "<br>" : `\\${found}`;
  });
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

/** A writer of a Markdown table. */
export class MarkdownWriter implements TableWriter {
  readonly #write: (text: string) => void;

  /** Writes the header. */
  constructor(names: readonly string[], write: (text: string) => void) {
    this.#write = write;
    write(line(names.map(cell)));
    write(line(names.map(() => "---")));
  }

  row(values: readonly unknown[]): void {
    this.#write(line(values.map((value) => cell(cellText(value)))));
  }

  end(): void {}
}
