/**
 * Represents a run in an events file, and writes it as lines.
 *
 * @module
 */
import type { EndLine, EventLine, MarkLine, PeriodLine, RunLine } from "./event_lines.ts";
import { Timeline } from "./timeline.ts";

/** A run: its settings, what happened over time, and how it ended. */
export interface EventRun {
  /** Its start and settings. */
  run: RunLine;
  /** In the order of time, at most 600, and all of one length. Those without any activity are absent. */
  periods: PeriodLine[];
  /** In the order of time. */
  marks: MarkLine[];
  /** Its end; absent if it has not ended, or the process was killed. */
  end?: EndLine;
}

/** A run that grows. */
export class GrowingRun {
  /** Its start and settings. */
  readonly start: RunLine;
  readonly #timeline = new Timeline();
  #end: EndLine | undefined;

  constructor(start: RunLine) {
    this.start = start;
  }

  /** Adds a line after the first. Ignores the start of another run. */
  add(line: EventLine): void {
    if (line.type === "period") this.#timeline.addPeriod(line);
    else if (line.type === "mark") this.#timeline.addMark(line);
    else if (line.type === "end") this.#end = line;
  }

  /** Makes its periods longer until it has at most `count`. */
  limit(count: number): void {
    this.#timeline.limit(count);
  }

  /** The run so far. */
  run(): EventRun {
    const { periods, marks } = this.#timeline;
    const run: EventRun = { run: this.start, periods, marks };
    if (this.#end !== undefined) run.end = this.#end;
    return run;
  }

  /** Its lines, each with a newline. */
  text(): string {
    const { periods, marks } = this.#timeline;
    const events = [...periods, ...marks].sort((a, b) => a.at - b.at);
    const end = this.#end === undefined ? [] : [this.#end];
    return linesOf([this.start, ...events, ...end]);
  }
}

/** Writes lines as JSON, each with a newline. */
export function linesOf(lines: readonly EventLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
