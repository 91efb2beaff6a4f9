/**
 * Converts times of the server's clock to those of this process.
 *
 * Every reply has the server's time. The one with the shortest round trip shows the difference best; the time of
 * day of this process plays no part.
 *
 * @module
 */

/** The number of replies that are remembered. */
const REMEMBERED = 32;
/** The weight of the newest round trip in the average, and in the average deviation from it. */
const NEWEST = 0.2;
/** Milliseconds by which a round trip counts at most beyond twice the average. */
const MAX_RISE = 20;
/** Maximum milliseconds by which two replies can disagree beyond their round trips before the clock was set. */
const TOLERANCE = 10;

interface Sample {
  offset: number;
  roundTrip: number;
}

/** The clock of one server. Times are in milliseconds; those of this process are monotonic. */
export class ServerClock {
  #samples: Sample[] = [];
  #best: Sample = { offset: 0, roundTrip: Infinity };
  #average = 0;
  #deviation = 0;

  /** Learns from a reply that was requested at `sent`, arrived at `received`, and has the server's time. */
  learn(sent: number, received: number, serverTime: number): void {
    const roundTrip = received - sent;
    const sample = { offset: serverTime - (sent + received) / 2, roundTrip };
    const isFirst = this.#samples.length === 0;
    // A process that was suspended meanwhile has learned nothing about the network.
    const usual = isFirst ? roundTrip : Math.min(roundTrip, 2 * this.#average + MAX_RISE);
    this.#deviation += isFirst
      ? usual / 2
      : (Math.abs(usual - this.#average) - this.#deviation) * NEWEST;
    this.#average += isFirst ? usual : (usual - this.#average) * NEWEST;
    const difference = Math.abs(sample.offset - this.#best.offset);
    if (difference > (roundTrip + this.#best.roundTrip) / 2 + TOLERANCE) {
      // The clock of the server was set.
      this.#samples = [];
    }
    this.#samples.push(sample);
    if (this.#samples.length > REMEMBERED) this.#samples.shift();
    this.#best = this.#samples.reduce((a, b) => b.roundTrip <= a.roundTrip ? b : a);
  }

  /** Milliseconds within which most replies arrive. */
  get roundTrip(): number {
    return this.#average + 2 * this.#deviation;
  }

  /** The time of this process at a time of the server. */
  toLocal(serverTime: number): number {
    return serverTime - this.#best.offset;
  }
}
