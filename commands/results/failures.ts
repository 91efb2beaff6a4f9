/**
 * Groups the failures among results, and names the commands that retry them.
 *
 * @module
 */
import { type FailureGroup, FailureGroups } from "../../lib/results/failure_groups.ts";
import type { ResultLine } from "../../lib/results/result_reader.ts";
import { STANDARD_INPUT } from "../../lib/input/open_file.ts";
import { inTermsOfFields } from "../errors/option_names.ts";
import { COUNT, quoted } from "../terminal/format.ts";
import { printableLine } from "../terminal/sanitize.ts";
import { nameText } from "./count_lines.ts";

/** Failures by reason, and by file. */
export class Failures {
  readonly groups = new FailureGroups();
  /** The requested models that failed, by file. */
  readonly #files = new Map<string, Set<string>>();

  /** Adds a failed record. */
  add(line: ResultLine): void {
    const { index, errorCode = "unknown", requestedModel } = line.facts;
    this.groups.add(index, errorCode, line.errorMessage(), requestedModel);
    let models = this.#files.get(line.source.name);
    if (models === undefined) this.#files.set(line.source.name, models = new Set());
    if (requestedModel !== undefined) models.add(requestedModel);
  }

  /** The commands that retry the failed records, one for each file; only the user knows the input. */
  get retryCommands(): string[] {
    return [...this.#files].map(([file, models]) => {
      const flags = [...models].map((model) => ` -m ${quoted(model)}`).join("");
      const output = file === STANDARD_INPUT ? "OUTPUT" : quoted(file);
      return `flexllm batch INPUT -o ${output}${flags} --only-failed`;
    });
  }
}

/** The message of a group, in terms of the fields of a file. */
function messageText({ code, message }: FailureGroup): string {
  if (message === undefined) return "other messages";
  return printableLine(code === "http" ? message : inTermsOfFields(message));
}

function groupLines(group: FailureGroup): string[] {
  const { model, code, count, examples } = group;
  const more = count > examples.length ? ", …" : "";
  const from = model === undefined ? "" : ` (${nameText(model)})`;
  return [
    `${COUNT.format(count)} × ${nameText(code)}${from}: ${messageText(group)}`,
    `    ${count === 1 ? "record" : "records"} ${examples.join(", ")}${more}`,
  ];
}

/** Maximum groups that are printed. */
const SHOWN_GROUPS = 50;

/** The lines that list failures and how to retry them. */
export function failureLines({ groups, retryCommands }: Failures): string[] {
  const list = groups.list();
  if (list.length === 0) return [];
  const more = list.length - SHOWN_GROUPS;
  const isNamed = list.some(({ model }) => model !== undefined);
  return [
    "",
    ...list.slice(0, SHOWN_GROUPS).flatMap(groupLines),
    ...more > 0 ? [`… and ${COUNT.format(more)} more reasons; use --json for all of them`] : [],
    "",
    ...retryCommands.map((command) => `To retry them: ${command}`),
    `Use the INPUT and the flags${isNamed ? "" : ", such as -m,"} of the run that wrote the file.`,
  ];
}

/** Failures as JSON. `retry` is a command, or a list of them for several files. */
export function failuresJson({ groups, retryCommands }: Failures) {
  return {
    failures: groups.list().map(({ code, model, message, ...group }) => ({
      ...model === undefined ? {} : { requested_model: model },
      error_code: code,
      message: message ?? null,
      ...group,
    })),
    retry: retryCommands.length > 1 ? retryCommands : retryCommands[0] ?? null,
  };
}
