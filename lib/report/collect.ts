/**
 * Collects the data of a report in one pass over the result files.
 *
 * @module
 */
import { basename } from "node:path";
import { ConfigurationError } from "../errors.ts";
import type { ResultLine, ResultReader, SkippedLines } from "../results/result_reader.ts";
import { OTHERS } from "../results/summary.ts";
import { ActiveTime, type Span } from "./active_time.ts";
import { cutText } from "./cut_text.ts";
import { Excerpts } from "./excerpts.ts";
import { readRunEvents, type RunEvents } from "./run_events.ts";
import { SeriesStats } from "./series_stats.ts";
import type { TimeBins } from "./time_bins.ts";

/** Maximum series that a picture can compare. */
export const MAX_SERIES = 6;

/** What to collect. */
export interface CollectOptions {
  /** Whether the files are parts of one run, such as shards. */
  merge?: boolean;
  /** Whether texts of results are included. */
  content: boolean;
  /** Removes keys from a text. */
  redact(text: string): string;
}

/** A run, or the files of one: a batch, including its resumptions. */
export interface ReportRun {
  /** Its result files. */
  files: string[];
  /** Its events; `undefined` if it has none. */
  events: RunEvents | undefined;
  /** When something happened. */
  time: ActiveTime;
}

/** The data of a report. */
export interface ReportData {
  runs: ReportRun[];
  /** The runs, or the requested models of a single run. */
  series: SeriesStats[];
  /** Whether the series are models of one run. */
  byModel: boolean;
  excerpts: Excerpts;
  skipped: SkippedLines;
}

/** The names of files, as short as possible while distinct. */
function shortNames(files: readonly string[]): string[] {
  const short = files.map((file) => basename(file));
  return new Set(short).size === files.length ? short : [...files];
}

/** The series that results belong to, created as they appear. */
class SeriesList {
  readonly list: SeriesStats[] = [];
  readonly #names: readonly string[];
  readonly #merge: boolean;
  readonly #byModel = new Map<string | undefined, number>();

  constructor(names: readonly string[], merge: boolean) {
    this.#names = names;
    this.#merge = merge;
    if (this.#isComparison) this.list = names.map((name, i) => new SeriesStats(name, i));
  }

  get #isComparison(): boolean {
    return this.#names.length > 1 && !this.#merge;
  }

  /** The position of the series of a result. */
  of({ file, facts: { requestedModel } }: ResultLine): number {
    if (this.#isComparison) return file;
    let found = this.#byModel.get(requestedModel);
    if (found !== undefined) return found;
    found = Math.min(this.#byModel.size, MAX_SERIES - 1);
    if (this.list.length <= found) this.list.push(this.#create(requestedModel, found));
    // Memory must stay bounded, however many model names there are.
    if (this.#byModel.size < 1000) this.#byModel.set(requestedModel, found);
    return found;
  }

  #create(model: string | undefined, position: number): SeriesStats {
    const isOthers = position === MAX_SERIES - 1;
    return new SeriesStats(isOthers ? OTHERS : cutText(model ?? this.#names[0], 100), 0);
  }
}

function spansOf(time: TimeBins, shortest = 0): Span[] {
  const length = Math.max(time.width, shortest * 1000);
  return time.list().map(({ at }) => ({ from: at, to: at + length }));
}

/**
 * Reads the results.
 *
 * @throws {ConfigurationError} if there are more files than can be compared
 * @throws {InvalidInputError} if a file has lines, but no result
 */
export function collectReport(reader: ResultReader, options: CollectOptions): ReportData {
  const { merge = false, content, redact } = options;
  const files = reader.sources.map(({ name }) => name);
  if (!merge && files.length > MAX_SERIES) {
    throw new ConfigurationError(
      `a report compares up to ${MAX_SERIES} files, got ${files.length}`,
      { hint: "Name fewer files, or use --merge to report the files as parts of one run." },
    );
  }
  const names = shortNames(files);
  const { series, excerpts } = reader.summarize(
    () => ({
      series: new SeriesList(names, merge),
      excerpts: new Excerpts(content, redact),
    }),
    ({ series, excerpts }, line) => {
      const position = series.of(line);
      series.list[position].add(line);
      excerpts.add(line, position);
    },
  );
  const list = series.list;
  if (list.length === 0) list.push(new SeriesStats(names[0], 0));
  const isComparison = files.length > 1 && !merge;
  const runs = (isComparison ? files.map((file) => [file]) : [files]).map((files, run) => {
    const events = readRunEvents(files);
    const own = list.filter((series) => series.run === run);
    const spans = [
      ...own.flatMap(({ time }) => spansOf(time)),
      ...events === undefined ? [] : spansOf(events.time, events.longestPeriod),
    ];
    return { files, events, time: new ActiveTime(spans) };
  });
  const byModel = !isComparison && list.length > 1;
  return { runs, series: list, byModel, excerpts, skipped: reader.skipped };
}
