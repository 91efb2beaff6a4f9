/**
 * `deno task workflows [FILE…]`: checks GitHub workflows (fields, permissions, expressions, dependencies of
 * jobs) with GitHub's language service. It has to be bundled first, since the service imports JSON in a way
 * that only bundlers support.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";

const FOLDER = ".github/workflows";

const named = process.argv.slice(2);
const files = named.length > 0 ? named : readdirSync(FOLDER).map((name) => `${FOLDER}/${name}`);
let problems = 0;
for (const file of files) {
  const document = TextDocument.create(`file:///${file}`, "yaml", 0, readFileSync(file, "utf8"));
  for (const { message, range: { start } } of await validate(document)) {
    problems++;
    console.error(`${file}:${start.line + 1}:${start.character + 1}: ${message}`);
  }
}
process.exit(problems > 0 ? 1 : 0);
