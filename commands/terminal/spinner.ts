/**
 * Shows on stderr that an answer is awaited, and for how long.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import { duration } from "./format.ts";
import { LiveArea } from "./live_area.ts";
import { canRedraw, colored, divertNotes } from "./output.ts";
import { widthOf } from "./width.ts";
import { onSuspension } from "./suspension.ts";

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
/** Milliseconds before the spinner is shown: fast answers don't need one. */
const DELAY = 400;
/** Milliseconds between two frames. */
const INTERVAL = 100;
/** Seconds of waiting after which the time is shown. */
const SHOW_TIME_AFTER = 3;

/** A duration in whole seconds, so that it does not flicker. */
function waited(seconds: number): string {
  return seconds < 10 ? `${Math.floor(seconds)} s` : duration(Math.floor(seconds));
}

/** The longest text that fits in `columns`. */
function fitting(texts: readonly string[], columns: number): string {
  return texts.find((text) => widthOf(text) < columns) ?? "";
}

/** The spinner of one answer. It is erased and shown again around notes. */
export class Spinner {
  readonly #area = new LiveArea(process.stderr);
  readonly #startedAt = performance.now();
  #what = "waiting for the answer";
  #frame = 0;
  #delay: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ignoreSuspension = () => {};

  /** Schedules the spinner, if stderr is a terminal. */
  constructor() {
    this.#schedule();
  }

  #schedule(): void {
    if (canRedraw()) this.#delay = setTimeout(() => this.#start(), DELAY);
  }

  #start(): void {
    divertNotes((line) => this.#area.above(line));
    this.#ignoreSuspension = onSuspension(() => this.#area.clear());
    this.#timer = setInterval(() => this.#draw(), INTERVAL);
    this.#draw();
  }

  #draw(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const time = seconds < SHOW_TIME_AFTER ? "" : `, ${waited(seconds)}`;
    const frame = FRAMES[this.#frame++ % FRAMES.length];
    const text = `${frame} ${this.#what}${time}`;
    const texts = [`${text}; press Ctrl-C to stop`, text, frame];
    this.#area.draw([colored("dim", fitting(texts, this.#area.columns))]);
  }

  /** Says what is happening instead, e.g. `thinking`. A cleared spinner is scheduled again. */
  say(what: string): void {
    this.#what = what;
    if (this.#delay === undefined && this.#timer === undefined) this.#schedule();
  }

  /** Erases the spinner, or cancels it before it is shown. */
  clear(): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    divertNotes(undefined);
    this.#ignoreSuspension();
    this.#area.clear();
  }
}
