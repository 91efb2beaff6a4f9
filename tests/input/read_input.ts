/** Reads the records of an input for tests. */
import type { InputOptions } from "../../lib/input/input_file.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { readOptions } from "../../lib/input/read_options.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { pendingRecords } from "../../lib/input/records.ts";

/** The checked records of files, as `index location: prompt`, and the notes about the files. */
export async function readInput(
  paths: string | readonly string[],
  options: InputOptions & { template?: string; skipInvalid?: boolean } = {},
): Promise<{ records: string[]; notes: string[] }> {
  const input = await openInput(paths, options);
  try {
    const reading = readOptions(input, options);
    const check = checkInput(input, undefined, reading);
    const records = [...pendingRecords(input, reading, check)].map((record) => {
      const location = record.location!.replace(/\S*\//, "");
      return `${record.index} ${location}: ${record.messages.at(-1)!.content}`;
    });
    const notes = input.files.flatMap(({ notes }) => notes ?? []);
    return { records, notes: notes.map((note) => note.replace(/\S*\//g, "")) };
  } finally {
    input.close();
  }
}
