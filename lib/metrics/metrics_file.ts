/**
 * Writes metrics to a file from which node_exporter's textfile collector reads them.
 *
 * @module
 */
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { ConfigurationError } from "../errors.ts";
import { writeReason } from "../files/reasons.ts";
import { replaceFile } from "../files/replace_file.ts";

/** Milliseconds between two updates: Prometheus usually scrapes every 15 to 60 seconds. */
const UPDATE_INTERVAL = 15_000;

/** The extension of the files that the collector reads. */
const EXTENSION = ".prom";

/** How each file begins: the help text of its first metric. */
const BEGINNING = "# HELP flexllm_";

/** The file is for another user, who runs the exporter. It has no secrets. */
const MODE = 0o644;

/** The first bytes of a file as text; the file may be shorter. */
function beginningOf(path: string): string {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(BEGINNING.length);
    return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes)));
  } finally {
    closeSync(fd);
  }
}

/**
 * Checks that the file can hold metrics, and that nothing else would be overwritten.
 *
 * @param setting the flag or field that names the file, for messages
 * @throws {ConfigurationError} if it is another file
 */
export function checkMetricsFile(path: string, setting: string): void {
  if (!path.endsWith(EXTENSION) || basename(path) === EXTENSION) {
    throw new ConfigurationError(`${setting}: the file must end in ${EXTENSION}, got ${path}`, {
      hint: "node_exporter's textfile collector reads only such files.",
    });
  }
  let problem: string | undefined;
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined || status.isFile() && status.size === 0) return;
    if (!status.isFile()) problem = "is not a file";
    else if (beginningOf(path) !== BEGINNING) problem = "is not a metrics file of flexllm";
  } catch {
    // The first update reports it.
    return;
  }
  if (problem === undefined) return;
  throw new ConfigurationError(`${setting}: ${path} ${problem}`, {
    hint: "It would be overwritten; choose another name.",
  });
}

/** The name of the batch whose metrics a file has: no two files in a folder have the same one. */
export function batchNameOf(path: string): string {
  return basename(path, EXTENSION);
}

/** How a {@link MetricsFile} is written; replaced in tests. */
export interface MetricsFileOptions {
  /** Reads the metrics. */
  read(): Promise<string>;
  /** Called once, the first time that the file cannot be written. */
  onWarning(message: string): void;
  /** Calls `run` every `ms` milliseconds. Returns a function that ends this. */
  every?(ms: number, run: () => void): () => void;
}

function systemTimer(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}

/** A file that is replaced every 15 seconds. Failures never reach the caller. */
export class MetricsFile implements AsyncDisposable {
  readonly #path: string;
  readonly #options: MetricsFileOptions;
  readonly #stopTimer: () => void;
  /** The last update; updates run one after the other. */
  #updating: Promise<void>;
  #hasWarned = false;

  /** Writes the file for the first time, and from then on regularly. */
  constructor(path: string, options: MetricsFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#updating = this.#update();
    const { every = systemTimer } = options;
    this.#stopTimer = every(UPDATE_INTERVAL, () => void this.update());
  }

  /** Writes the current metrics. */
  update(): Promise<void> {
    return this.#updating = this.#updating.then(() => this.#update());
  }

  async #update(): Promise<void> {
    try {
      const text = await this.#options.read();
      replaceFile(this.#target, text, MODE);
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      this.#options.onWarning(`cannot write metrics to ${this.#path}: ${writeReason(error)}`);
    }
  }

  /** The file itself: a link stays a link. */
  get #target(): string {
    const status = statSync(this.#path, { throwIfNoEntry: false });
    return status === undefined ? this.#path : realpathSync(this.#path);
  }

  /** Writes the last metrics and ends the updates. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer();
    await this.update();
  }
}
