/**
 * `flexllm logs export`: writes saved conversations to a file or to stdout.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { ConversationFilter } from "../../lib/conversations/browse.ts";
import { exportConversations } from "../../lib/conversations/export.ts";
import type { ExportFormat } from "../../lib/conversations/export_formats.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { AbortedError, ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { counted } from "../terminal/format.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { isFiltered } from "./filter_flags.ts";
import { findConversations, readable } from "./find.ts";

/** What to export, and where to. */
export interface ExportFlags extends ConversationFilter {
  all?: true;
  to?: ExportFormat;
  output?: string;
  yes?: true;
}

const FORMAT_OF: Readonly<Record<string, ExportFormat>> = {
  ".md": "md",
  ".markdown": "md",
  ".json": "json",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".html": "html",
  ".htm": "html",
};

/** The format that is asked for, or that of the file's extension; Markdown on stdout. */
function formatOf({ to, output }: ExportFlags): ExportFormat {
  if (to !== undefined) return to;
  if (output === undefined || output === "-") return "md";
  const format = FORMAT_OF[extname(output).toLowerCase()];
  if (format === undefined) {
    throw new ConfigurationError(`cannot tell the format of ${output} from its name`, {
      hint: "Pass --to md, json, jsonl or html, or choose a name that ends in one of them.",
    });
  }
  return format;
}

/** Asks before a file is replaced. */
async function requireFree(path: string, yes: boolean): Promise<void> {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    throw new InvalidInputError(`cannot write ${path}: it is a folder, not a file`);
  }
  if (yes) return;
  const { canPrompt, promptYesNo } = await import("../terminal/prompts.ts");
  if (!canPrompt()) {
    throw new InvalidInputError(`${path} already exists`, {
      hint: "Pass --yes to replace it, or choose another name.",
    });
  }
  if (!await promptYesNo(`${path} already exists. Replace it?`, false)) {
    throw new AbortedError("nothing was exported");
  }
}

/**
 * Exports the conversations that arguments refer to, or all that match the filter, in the order of the list.
 *
 * @throws {InvalidInputError} if one is not found, there is none, or the file exists
 * @throws {ConfigurationError} if it is unclear what to export, or the file cannot be written
 */
export async function exportLogs(
  store: ConversationStore,
  references: readonly string[],
  { all, yes, output, to, ...filter }: ExportFlags,
): Promise<void> {
  const selectsMany = all === true || isFiltered(filter);
  if ((references.length > 0) === selectsMany) {
    throw new ConfigurationError("name the conversations to export, or pass --all or a filter", {
      hint: "For example flexllm logs export last -o answer.md, or --since 7d -o week.jsonl",
    });
  }
  const format = formatOf({ to, output });
  const conversations = selectsMany
    ? [...readable(store, filter)].map(({ conversation }) => conversation)
    : findConversations(store, references);
  if (conversations.length === 0) {
    throw new InvalidInputError("there is no conversation to export", {
      hint: "`flexllm logs` lists those that are saved.",
    });
  }
  const text = exportConversations(conversations, format, selectsMany || conversations.length > 1);
  if (output === undefined || output === "-") return writeOutput(text);
  await requireFree(output, yes === true);
  writeUserFile(output, text, false);
  writeNote(`Exported ${counted(conversations.length, "conversation")} to ${output}.`);
}
