/**
 * Reads the results in files: each record once, with the facts of its line.
 *
 * @module
 */
import { parseLine } from "../batch/journal/parse_line.ts";
import type { ResultRecord } from "../batch/journal/result_line.ts";
import { mayBeInexact, parseExact } from "../json/json.ts";
import { type ByteLine, visitLines } from "./byte_lines.ts";
import { LatestLines } from "./latest_lines.ts";
import { LineFacts } from "./line_facts.ts";
import { LineScanner } from "./line_scanner.ts";
import { notResults, type ResultSource } from "./result_source.ts";

/** A line that cannot be read. */
export interface DamagedLine {
  /** Its file and number, such as `answers.jsonl:3`. */
  location: string;
  /** What is wrong: "it is not JSON". */
  reason: string;
}

/** What a reader skipped. */
export interface SkippedLines {
  /** The number of damaged lines. */
  damaged: number;
  /** The first of them. */
  examples: DamagedLine[];
  /** Lines that a later line of the same record replaces. */
  replaced: number;
  /** Files whose last line is incomplete: a batch is writing it, or was killed while it did. */
  unfinished: string[];
}

/** A result. Valid until the function that it is passed to returns. */
export class ResultLine {
  readonly facts = new LineFacts();
  /** The file. */
  source!: ResultSource;
  /** The position of the file among all. */
  file = 0;
  /** The position of the line among those of all files. */
  position = 0;
  /** Its bytes. */
  bytes!: ByteLine;

  /** The JSON. */
  text(): string {
    const { buffer, start, end } = this.bytes;
    return buffer.toString("utf8", start, end);
  }

  /**
   * The parsed result, or the reason why it is damaged.
   *
   * @param isExact whether numbers that a double would change keep their text
   */
  parse(isExact = false): ResultRecord | string {
    const text = this.text();
    const record = parseLine(text);
    return isExact && typeof record !== "string" && mayBeInexact(text)
      ? parseExact(text) as ResultRecord
      : record;
  }

  /** The message of a failed result; empty if it has none, or is damaged. */
  errorMessage(): string {
    const record = this.parse();
    return typeof record !== "string" && typeof record.error === "string" ? record.error : "";
  }
}

/** Receives a result. Returns `false` to stop. */
export type ResultVisitor = (line: ResultLine) => boolean | void;

/** Maximum damaged lines that are remembered. */
const EXAMPLES = 5;
/** Damaged lines at the start of a file after which it is not considered a result file. */
const MAX_DAMAGED = 1000;

/** The start of every record, also in files of the Python tool. */
const START = /^\s*\{\s*"index"/;

/** Reads the results of open files. */
export class ResultReader {
  readonly sources: readonly ResultSource[];
  #latest: LatestLines | undefined;
  #skipped: SkippedLines = { damaged: 0, examples: [], replaced: 0, unfinished: [] };

  /** @param sources the open files, which the caller closes */
  constructor(sources: readonly ResultSource[]) {
    this.sources = sources;
  }

  /** What the last pass over the files skipped. */
  get skipped(): SkippedLines {
    return { ...this.#skipped, replaced: this.#latest?.replaced ?? 0 };
  }

  /**
   * Passes the line of each record that counts to `visit`, file by file.
   *
   * @throws {InvalidInputError} if a file has lines, but no result
   */
  each(visit: ResultVisitor): void {
    const latest = this.#latest ??= this.#findLatest(() => {});
    this.#pass(
      latest.replaced === 0 ? visit : (line) => {
        return latest.isReplaced(line.position) ? undefined : visit(line);
      },
    );
  }

  /**
   * Summarizes the results. Usually no record has two lines; then the files are read only once.
   *
   * @param start creates an empty summary
   * @param add adds a result to it
   * @throws {InvalidInputError} if a file has lines, but no result
   */
  summarize<Summary>(
    start: () => Summary,
    add: (summary: Summary, line: ResultLine) => void,
  ): Summary {
    let summary = start();
    if (this.#latest === undefined) {
      this.#latest = this.#findLatest((line) => add(summary, line));
      if (this.#latest.replaced === 0) return summary;
      summary = start();
    }
    this.each((line) => add(summary, line));
    return summary;
  }

  /** Counts a line whose damage was found when it was parsed. */
  addDamaged({ source, bytes }: ResultLine, reason: string): void {
    this.#damaged(`${source.name}:${bytes.number}`, reason);
  }

  #findLatest(visit: (line: ResultLine) => void): LatestLines {
    const latest = new LatestLines();
    let file = 0;
    this.#pass((line) => {
      if (line.file !== file) {
        file = line.file;
        latest.startFile();
      }
      const { index, requestedModel } = line.facts;
      latest.add(index, requestedModel, line.position);
      visit(line);
    });
    return latest;
  }

  #damaged(location: string, reason: string): void {
    this.#skipped.damaged++;
    if (this.#skipped.examples.length < EXAMPLES) this.#skipped.examples.push({ location, reason });
  }

  #pass(visit: ResultVisitor): void {
    this.#skipped = { damaged: 0, examples: [], replaced: 0, unfinished: [] };
    const line = new ResultLine();
    const scanner = new LineScanner();
    let position = 0;
    let isStopped = false;
    for (const [i, source] of this.sources.entries()) {
      if (isStopped) return;
      line.source = source;
      line.file = i;
      let results = 0;
      let first: DamagedLine | undefined;
      let damaged = 0;
      visitLines(source.fd, source.size, (bytes) => {
        line.bytes = bytes;
        line.position = position++;
        const reason = this.#read(line, scanner);
        if (reason === undefined) {
          results++;
          isStopped = visit(line) === false;
          return !isStopped;
        }
        if (!bytes.ended && isTorn(line)) {
          this.#skipped.unfinished.push(source.name);
          return;
        }
        const location = `${source.name}:${bytes.number}`;
        first ??= { location, reason };
        this.#damaged(location, reason);
        return results > 0 || ++damaged < MAX_DAMAGED;
      });
      if (first !== undefined && results === 0) {
        throw notResults(
          `${first.location} is not a result of flexllm: ${first.reason}`,
          nameOfResults(source.name),
        );
      }
    }
  }

  /** Reads the facts of a line. Returns why it is damaged, if it is. */
  #read(line: ResultLine, scanner: LineScanner): string | undefined {
    const { buffer, start, end, tooLong } = line.bytes;
    if (tooLong) return "it is too long";
    if (!scanner.scan(buffer, start, end, line.facts)) {
      const record = line.parse();
      if (typeof record === "string") return record;
      line.facts.setFrom(record);
    }
    line.facts.checkRanges();
    return undefined;
  }
}

/** A hint for the events file of a batch, which has the name of the result file in its own. */
function nameOfResults(name: string): string | undefined {
  const results = name.match(/^(.+)\.events$/)?.[1];
  return results === undefined ? undefined : `Name the result file instead: ${results}.`;
}

/** Whether a line without a newline may be the start of a record, the zeros of unwritten blocks, or both. */
function isTorn(line: ResultLine): boolean {
  const { buffer, start, end } = line.bytes;
  const text = buffer.toString("utf8", start, Math.min(end, start + 100)).replace(/\0+$/, "");
  return START.test(text) || '{"index"'.startsWith(text);
}
