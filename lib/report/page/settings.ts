/**
 * Renders the settings of the runs, and how to run them again.
 *
 * @module
 */
import type { RunLine } from "../../batch/events/event_lines.ts";
import { formatDollars } from "../../pricing/format_dollars.ts";
import { safeUrl } from "../../redact.ts";
import { shortTime } from "../charts/ticks.ts";
import type { ReportData, ReportRun } from "../collect.ts";
import { count } from "../pictures/picture.ts";
import { type Html, markup, tableHtml } from "./parts.ts";
import { commandsHtml } from "./tables.ts";

/** Maximum runs listed per file; the latest ones are listed. */
const MAX_RUNS = 20;
/** Maximum values listed for one setting. */
const MAX_VALUES = 20;

function listed(values: readonly string[]): string {
  const rest = values.length - MAX_VALUES;
  return [...values.slice(0, MAX_VALUES), ...rest > 0 ? [`${rest} more`] : []].join(", ");
}

function settingRows(run: RunLine): string[][] {
  return [
    ["version", `flexllm ${run.version} on ${run.runtime}`],
    ["models", listed(run.models)],
    ["endpoints", listed(run.endpoints.map(safeUrl))],
    ["records", `${count(run.records)}, of which ${count(run.restored)} had a result before`],
    ["concurrency", String(run.concurrency)],
    ...run.budget === undefined ? [] : [["budget", formatDollars(run.budget)]],
    ...Object.entries(run.settings ?? {}).slice(0, 50).map((
      [name, value],
    ) => [name, String(value)]),
  ];
}

function runRows({ events }: ReportRun): string[][] {
  return events!.runs.slice(-MAX_RUNS).map(({ at, end }) => [
    at,
    end === undefined ? "killed, or still running" : end.outcome,
    end === undefined ? "" : shortTime(end.duration),
    end === undefined ? "" : count(end.succeeded),
    end === undefined ? "" : count(end.failed),
  ]);
}

function runHtml(run: ReportRun, isNamed: boolean, redact: (text: string) => string): Html {
  const { files, events } = run;
  const name = files.length === 1 ? files[0] : `${files.length} files`;
  const heading = isNamed
    ? markup`<h3>${name}</h3>
`
    : "";
  const last = events?.runs.at(-1);
  if (last === undefined) {
    return markup`${heading}<p class="note">${
      files.length === 1
        ? "There is no events file next to the result file"
        : "There are no events files"
    }, so the settings, retries, 429s and unusable endpoints over time are not known.</p>
`;
  }
  const settings = {
    columns: [{ title: "setting" }, { title: "value" }],
    rows: settingRows(last).map((row) => row.map(redact)),
  };
  const history = {
    columns: [
      { title: "start" },
      { title: "end" },
      { title: "duration", isNumber: true },
      { title: "succeeded", isNumber: true },
      { title: "failed", isNumber: true },
    ],
    rows: runRows(run),
  };
  return markup`${heading}<div class="card">${tableHtml(`Settings of ${name}`, settings)}</div>
<h4>Runs</h4>
<div class="card">${tableHtml(`Runs of ${name}`, history)}</div>
`;
}

/**
 * Renders the settings.
 *
 * @param again the commands that resume the batches
 */
export function settingsHtml(
  { runs }: ReportData,
  again: readonly string[],
  redact: (text: string) => string,
): Html {
  return markup`${runs.map((run) => runHtml(run, runs.length > 1, redact))}<h3>Run it again</h3>
${commandsHtml(again.map(redact))}`;
}
