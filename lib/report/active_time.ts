/**
 * Maps points in time to the seconds since the start of a run, without the time in which nothing happened.
 *
 * @module
 */

/** A stretch of time, in milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** Idle time of at least this many milliseconds is left out. */
const SHORTEST_REST = 60_000;

/** The time in which a batch ran, perhaps in several parts. */
export class ActiveTime {
  readonly #parts: { from: number; to: number; offset: number }[] = [];
  /** The total in seconds. */
  readonly seconds: number;

  /** @param spans the periods in which something happened */
  constructor(spans: readonly Span[]) {
    const sorted = spans.toSorted((a, b) => a.from - b.from);
    const active = sorted.reduce((sum, { from, to }) => sum + to - from, 0);
    const longest = Math.max(SHORTEST_REST, active / 2);
    for (const { from, to } of sorted) {
      const last = this.#parts.at(-1);
      if (last !== undefined && from - last.to <= longest) last.to = Math.max(last.to, to);
      else this.#parts.push({ from, to, offset: 0 });
    }
    let offset = 0;
    for (const part of this.#parts) {
      part.offset = offset;
      offset += part.to - part.from;
    }
    this.seconds = offset / 1000;
  }

  /** The start in milliseconds since 1970; `undefined` if nothing happened. */
  get start(): number | undefined {
    return this.#parts[0]?.from;
  }

  /** The end in milliseconds since 1970; `undefined` if nothing happened. */
  get end(): number | undefined {
    return this.#parts.at(-1)?.to;
  }

  /** The seconds after which each part begins, with the idle seconds before it. */
  get rests(): { at: number; seconds: number }[] {
    return this.#parts.slice(1).map(({ from, offset }, i) => ({
      at: offset / 1000,
      seconds: (from - this.#parts[i].to) / 1000,
    }));
  }

  /** The seconds that had passed at a time in milliseconds since 1970; during idle time, those at its start. */
  elapsed(at: number): number {
    let found = 0;
    for (const { from, to, offset } of this.#parts) {
      if (at < from) break;
      found = offset + Math.min(at, to) - from;
    }
    return found / 1000;
  }
}
