/**
 * Creates reports: collects the data of result files, and renders the page.
 *
 * @module
 */
import { basename } from "node:path";
import { VERSION } from "../../lib/version.ts";
import { redact } from "../../lib/redact.ts";
import { collectReport, type ReportData } from "../../lib/report/collect.ts";
import { STANDARD_INPUT } from "../../lib/input/open_file.ts";
import { ResultReader } from "../../lib/results/result_reader.ts";
import { openResults } from "../../lib/results/result_source.ts";
import { quoted } from "../terminal/format.ts";
import { knownSecrets } from "./known_secrets.ts";

/** What a report shows. */
export interface ReportOptions {
  /** @default the names of the files */
  title?: string;
  /** Whether the files are parts of one run. */
  merge?: boolean;
  /** Whether texts of results are included. */
  content: boolean;
  /**
   * The configuration file whose keys are removed.
   *
   * @default the one that is found
   */
  config?: string;
  /** Further keys that are removed. */
  secrets?: readonly string[];
}

/** The data of a report, and what removes keys from its texts. */
export interface CollectedReport {
  data: ReportData;
  redact(text: string): string;
}

/**
 * Collects the data of result files: paths, patterns, or `-` for standard input.
 *
 * @throws {InvalidInputError} if one cannot be read
 * @throws {ConfigurationError} if there are more files than can be compared, or the configuration cannot be read
 */
export async function collectFiles(
  files: readonly string[],
  { merge, content, config, secrets }: ReportOptions,
): Promise<CollectedReport> {
  const known = knownSecrets(config, secrets);
  const withoutKeys = (text: string) => redact(text, ...known);
  const sources = await openResults(files);
  try {
    const data = collectReport(new ResultReader(sources), { merge, content, redact: withoutKeys });
    return { data, redact: withoutKeys };
  } finally {
    for (const source of sources) source.close();
  }
}

/** The commands of the batches: as their events have them, or as far as the results say. */
function batchCommands({ runs, series }: ReportData): { again: string[]; retry: string[] } {
  const again: string[] = [];
  const retry: string[] = [];
  for (const [i, { files, events }] of runs.entries()) {
    const own = series.filter(({ run }) => run === i);
    const requested = new Set(
      own.flatMap(({ summary }) => summary.requestedModels.map(({ model }) => model)),
    );
    const models = [...requested].slice(0, 20).map((model) => ` -m ${quoted(model)}`).join("");
    const known = files.length === 1 ? events?.runs.at(-1)?.command : undefined;
    for (const file of files.slice(0, 20)) {
      const output = file === STANDARD_INPUT ? "OUTPUT" : quoted(file);
      const command = known ?? `flexllm batch INPUT -o ${output}${models}`;
      again.push(command);
      if (own.some(({ summary }) => summary.failed > 0)) {
        retry.push(
          / --(?:only|retry)-failed\b/.test(command) ? command : `${command} --only-failed`,
        );
      }
    }
  }
  return { again, retry };
}

function defaultTitle({ runs }: ReportData): string {
  const files = runs.flatMap(({ files }) => files).map((file) => basename(file));
  const rest = files.length - 3;
  return `${files.slice(0, 3).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** Renders the page of a report. */
export async function renderReport(
  { data, redact }: CollectedReport,
  { title = defaultTitle(data), content }: ReportOptions,
): Promise<string> {
  const { reportPage } = await import("../../lib/report/page/page.ts");
  const commands = batchCommands(data);
  return await reportPage(data, {
    ...commands,
    title,
    content,
    redact,
    version: VERSION,
    now: Date.now(),
  });
}
