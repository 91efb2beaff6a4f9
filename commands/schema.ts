/**
 * `flexllm schema`: prints the JSON Schema that `--schema` makes of its value.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { addNotes } from "./flags/help_notes.ts";
import { SCHEMA_NOTE } from "./flags/schema.ts";
import { addExamples } from "./flags/shared_options.ts";
import { writeOutput } from "./terminal/output.ts";

/** Creates the command. */
export function schemaCommand() {
  const command = new Command("schema")
    .argument("<schema>", "a file, JSON, or a list of fields")
    .action(async (given) => {
      const { readSchema } = await import("../lib/input/schema_file.ts");
      writeOutput(`${JSON.stringify(readSchema(given).json_schema.schema, null, 2)}\n`);
    });
  return addExamples(addNotes(command, [SCHEMA_NOTE]), [
    'flexllm schema "name, age int, tags [string]"',
    'flexllm schema "mood (good|bad), score float: 0 to 1" > mood.json',
  ]);
}
