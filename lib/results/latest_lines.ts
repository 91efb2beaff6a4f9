/**
 * Remembers which line of each record counts: the last one, as when a batch is resumed.
 *
 * @module
 */

/** Records of which a map is smaller than an array, however far apart they are. */
const FEW = 1000;
/** Places of an array for each record, at most. */
const SPARSE = 16;

/** The lines by index of the results of one requested model. */
class LinesByIndex {
  /** While there are few records: a file may have any number of models with one record each. */
  #few: Map<number, number> | undefined = new Map();
  #highest = 0;
  /** Then four bytes for each index. */
  #lines = new Int32Array(0);

  /** Sets the line of a record. Returns the one that it replaces, if any. */
  set(index: number, line: number): number | undefined {
    const few = this.#few;
    if (few === undefined) return this.#setInArray(index, line);
    const earlier = few.get(index);
    few.set(index, line);
    this.#highest = Math.max(this.#highest, index);
    if (few.size > FEW && this.#highest < few.size * SPARSE) {
      this.#few = undefined;
      for (const [index, line] of few) this.#setInArray(index, line);
    }
    return earlier;
  }

  #setInArray(index: number, line: number): number | undefined {
    if (index >= this.#lines.length) {
      const larger = new Int32Array(Math.max(index + 1, this.#lines.length * 2));
      larger.set(this.#lines);
      this.#lines = larger;
    }
    // Zero means that there is no line.
    const earlier = this.#lines[index] - 1;
    this.#lines[index] = line + 1;
    return earlier < 0 ? undefined : earlier;
  }
}

/** A set of line positions, with one bit for each. */
class LineSet {
  #bits = new Uint8Array(1 << 12);
  size = 0;

  add(line: number): void {
    const byte = line >>> 3;
    if (byte >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[byte] |= 1 << (line & 7);
    this.size++;
  }

  has(line: number): boolean {
    const byte = line >>> 3;
    return byte < this.#bits.length && (this.#bits[byte] & 1 << (line & 7)) !== 0;
  }
}

/** The lines of several files. A record is identified by its file, index and requested model. */
export class LatestLines {
  #byModel = new Map<string | undefined, LinesByIndex>();
  readonly #replaced = new LineSet();

  /** The number of lines that a later one replaces. */
  get replaced(): number {
    return this.#replaced.size;
  }

  /** Starts the next file, whose records are others. */
  startFile(): void {
    this.#byModel = new Map();
  }

  /** Adds the result in `line`, its position among the lines of all files. */
  add(index: number, model: string | undefined, line: number): void {
    let lines = this.#byModel.get(model);
    if (lines === undefined) this.#byModel.set(model, lines = new LinesByIndex());
    const earlier = lines.set(index, line);
    if (earlier !== undefined) this.#replaced.add(earlier);
  }

  /** Whether a later line replaces `line`. */
  isReplaced(line: number): boolean {
    return this.#replaced.has(line);
  }
}
