/**
 * Passes the selected results to a function: those that match a filter, or the first, last or random ones of them.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";
import { seededRandom } from "../runtime/random.ts";
import { matchesFacts, matchesText, type ResultFilter } from "./filter.ts";
import type { ResultLine, ResultReader, ResultVisitor } from "./result_reader.ts";
import { ResultSummary } from "./summary.ts";

/** Which of the matching results are selected; all without any. At most one is used. */
export interface Pick {
  /** The first ones in the files. */
  first?: number;
  /** The last ones. */
  last?: number;
  /** Random ones. */
  sample?: number;
  /** Selects the same sample again. @default a random number */
  seed?: number;
}

/** Selected results. */
export class ResultSelection {
  readonly #reader: ResultReader;
  readonly #filter: ResultFilter;
  readonly #pick: Pick;
  #positions: ReadonlySet<number> | undefined;

  /** Selects the results in `reader` that match `filter`, or some of them. */
  constructor(reader: ResultReader, filter: ResultFilter, pick: Pick = {}) {
    this.#reader = reader;
    this.#filter = filter;
    this.#pick = pick;
  }

  /** Passes the lines of the selected results to `visit`. */
  each(visit: ResultVisitor): void {
    const { first } = this.#pick;
    const positions = this.#positions ??= this.#pickPositions();
    if (positions !== undefined) {
      let rest = positions.size;
      if (rest === 0) return this.#reader.each(() => {});
      return this.#reader.each((line) => {
        if (!positions.has(line.position)) return;
        rest--;
        return visit(line) === false ? false : rest > 0;
      });
    }
    let rest = first ?? Infinity;
    this.#reader.each((line) => {
      if (!this.#matches(line)) return;
      rest--;
      return visit(line) === false ? false : rest > 0;
    });
  }

  /**
   * Passes the selected results to `visit`. Lines that turn out to be damaged are counted and skipped.
   *
   * @param isExact whether numbers that a double would change keep their text
   */
  eachRecord(
    visit: (record: ResultRecord, line: ResultLine) => boolean | void,
    isExact = false,
  ): void {
    this.each((line) => {
      const record = line.parse(isExact);
      if (typeof record !== "string") return visit(record, line);
      this.#reader.addDamaged(line, record);
    });
  }

  /**
   * Summarizes the selected results.
   *
   * @param onFailure called with each failed one
   */
  summarize(onFailure: () => (line: ResultLine) => void = () => () => {}) {
    const start = () => ({ summary: new ResultSummary(), failed: onFailure() });
    type Sums = ReturnType<typeof start>;
    const add = ({ summary, failed }: Sums, line: ResultLine) => {
      summary.add(line.facts);
      if (!line.facts.succeeded) failed(line);
    };
    const { first, last, sample } = this.#pick;
    if (first === undefined && last === undefined && sample === undefined) {
      return this.#reader.summarize(start, (sums, line) => {
        if (this.#matches(line)) add(sums, line);
      }).summary;
    }
    const sums = start();
    this.each((line) => add(sums, line));
    return sums.summary;
  }

  #matches(line: ResultLine): boolean {
    if (!matchesFacts(this.#filter, line.facts)) return false;
    if (this.#filter.text === undefined) return true;
    const record = line.parse();
    // Counted as damaged when it is read.
    return typeof record !== "string" && matchesText(this.#filter, record);
  }

  /** The positions of a sample or of the last results; `undefined` if neither is wanted. */
  #pickPositions(): ReadonlySet<number> | undefined {
    const { last, sample, seed = Math.floor(Math.random() * 2 ** 31) } = this.#pick;
    const size = sample ?? last;
    if (size === undefined) return undefined;
    const random = seededRandom(seed);
    const kept: number[] = [];
    let matching = 0;
    this.#reader.each((line) => {
      if (!this.#matches(line)) return;
      // For a sample, reservoir sampling: each result stays with the same probability.
      const slot = matching < size
        ? matching
        : sample === undefined
        ? matching % size
        : Math.floor(random() * (matching + 1));
      if (slot < size) kept[slot] = line.position;
      matching++;
    });
    return new Set(kept);
  }
}
