/** A virtual clock together with the time of day. */
import { VirtualClock } from "./virtual_clock.ts";

export class FakeTime extends VirtualClock {
  readonly #start: number;
  #offset = 0;

  /** Starts at a time of day in milliseconds since 1970. */
  constructor(start: number) {
    super();
    this.#start = start;
  }

  override now(): number {
    return super.now() + this.#offset;
  }

  /** The time of day in milliseconds since 1970. */
  wall(): number {
    return this.#start + this.now();
  }

  /** Lets time pass without waking sleepers. */
  advance(ms: number): void {
    this.#offset += ms;
  }
}
