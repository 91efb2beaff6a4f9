/**
 * Renders a report as one HTML file that needs no script, no other file and no network.
 *
 * Everything from results is untrusted: it enters the page only as text, escaped by the templates.
 *
 * @module
 */
import type { ReportData } from "../collect.ts";
import { failurePicture, retryPicture, schemaPicture } from "../pictures/failures.ts";
import {
  firstTokenPicture,
  latencyPicture,
  lengthPictures,
  percentilePicture,
  queuePicture,
  tokenTimePicture,
} from "../pictures/latency.ts";
import { count } from "../pictures/picture.ts";
import {
  cachePicture,
  inFlightPicture,
  spendingPicture,
  throughputPicture,
  tokenRatePicture,
} from "../pictures/throughput.ts";
import {
  endpointPicture,
  finishPicture,
  inputPicture,
  modelPicture,
  outputPicture,
} from "../pictures/usage.ts";
import { overviewHtml } from "./overview.ts";
import { type Html, markup, picturesHtml, raw, sectionHtml } from "./parts.ts";
import { settingsHtml } from "./settings.ts";
import { STYLE_SOURCE, STYLES } from "./styles.ts";
import { excerptTable, failuresHtml, sampleHtml } from "./tables.ts";

/** What a report contains besides the data. */
export interface PageOptions {
  title: string;
  /** The version of flexllm. */
  version: string;
  /** When the report is made, in milliseconds since 1970. */
  now: number;
  /** Whether texts of results are included. */
  content: boolean;
  /** The commands that retry the failed records. */
  retry: readonly string[];
  /** The commands that resume the batches. */
  again: readonly string[];
  /** Removes keys from a text. */
  redact(text: string): string;
}

/** Identifies a file as a report, which may be replaced. */
export const GENERATOR = '<meta name="generator" content="flexllm report">';

/** Forbids loading and running anything. */
const POLICY = `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; form-action 'none'`;

interface Section {
  id: string;
  title: string;
  content: Html;
}

function sectionsOf(data: ReportData, options: PageOptions): Section[] {
  const { excerpts } = data;
  const { content, redact, retry, again } = options;
  const section = (id: string, title: string, content: Html) => ({ id, title, content });
  return [
    section("overview", "Overview", overviewHtml(data)),
    section(
      "time",
      "Over time",
      picturesHtml([
        throughputPicture(data),
        tokenRatePicture(data),
        inFlightPicture(data),
        spendingPicture(data),
        cachePicture(data),
      ]),
    ),
    section(
      "latency",
      "Latency",
      picturesHtml([
        latencyPicture(data),
        percentilePicture(data),
        firstTokenPicture(data),
        tokenTimePicture(data),
        queuePicture(data),
        ...lengthPictures(data),
      ]),
    ),
    section(
      "failures",
      "Failures",
      markup`${
        picturesHtml([failurePicture(data), retryPicture(data), schemaPicture(data)])
      }<h3>By reason</h3>
${failuresHtml(data, retry, redact)}`,
    ),
    section(
      "usage",
      "Tokens and cost",
      picturesHtml([
        modelPicture(data),
        endpointPicture(data),
        inputPicture(data),
        outputPicture(data),
        finishPicture(data),
      ]),
    ),
    ...excerpts.slowest.length > 0
      ? [section("slowest", "Slowest", excerptTable(data, "Slowest", excerpts.slowest))]
      : [],
    ...excerpts.mostExpensive.length > 0
      ? [
        section(
          "expensive",
          "Most expensive",
          excerptTable(data, "Most expensive", excerpts.mostExpensive),
        ),
      ]
      : [],
    ...content && excerpts.sample.length > 0
      ? [section("sample", "Random sample", sampleHtml(data))]
      : [],
    section("settings", "Settings", settingsHtml(data, again, redact)),
  ];
}

function warningsHtml({ skipped }: ReportData): Html {
  const { damaged, replaced, unfinished } = skipped;
  const notes = [
    ...damaged > 0 ? [`Damaged lines that were skipped: ${count(damaged)}.`] : [],
    ...replaced > 0
      ? [`Results that later ones of the same records replaced: ${count(replaced)}.`]
      : [],
    ...unfinished.map((file) =>
      `The last line of ${file} is incomplete: a batch was writing it, or was killed.`
    ),
  ];
  if (notes.length === 0) return markup``;
  return markup`<ul class="card note warnings">${notes.map((note) => markup`<li>${note}</li>`)}</ul>
`;
}

function minutes(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function subtitle({ runs }: ReportData): string {
  const files = runs.flatMap(({ files }) => files);
  const names = files.length <= 6 ? files.join(", ") : `${count(files.length)} files`;
  const [{ time: { start, end } }] = runs;
  if (runs.length > 1 || start === undefined || end === undefined) return names;
  return `${names}, from ${minutes(start)} to ${minutes(end)}`;
}

/** Renders the page. */
export async function reportPage(data: ReportData, options: PageOptions): Promise<string> {
  const { title, version, now } = options;
  const sections = sectionsOf(data, options);
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
${raw(GENERATOR)}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${raw(STYLES)}</style>
</head>
<body>
<div class="wrap">
<header><h1>${title}</h1>
<p class="note">${subtitle(data)}</p></header>
<nav aria-label="Sections">${
    sections.map(({ id, title }) => markup`<a href="#${id}">${title}</a> `)
  }</nav>
${warningsHtml(data)}<main>
${sections.map(({ id, title, content }) => sectionHtml(id, title, content))}</main>
<footer>Made by flexllm ${version} on ${minutes(now)}. Percentiles are within one percent.${
    options.content ? "" : " Texts were left out (--no-content)."
  }</footer>
</div>
</body>
</html>
`;
  return String(await page);
}
