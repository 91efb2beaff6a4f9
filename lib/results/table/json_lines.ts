/**
 * Writes the rows of a table as JSON lines: one object each, whose fields are the columns.
 *
 * @module
 */
import { stringifyExact } from "../../json/json.ts";
import type { TableWriter } from "./table_writer.ts";

/** A writer of JSON lines. Nested values stay values; absent ones are left out. */
export class JsonLinesWriter implements TableWriter {
  readonly #names: readonly string[];
  readonly #write: (text: string) => void;

  constructor(names: readonly string[], write: (text: string) => void) {
    this.#names = names;
    this.#write = write;
  }

  row(values: readonly unknown[]): void {
    const fields = this.#names.flatMap((name, i) =>
      values[i] === undefined ? [] : [`${JSON.stringify(name)}:${stringifyExact(values[i])}`]
    );
    this.#write(`{${fields.join(",")}}\n`);
  }

  end(): void {}
}
