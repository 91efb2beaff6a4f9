/**
 * Queues calls while others hold the rest of a budget, so that they get it in order of arrival.
 *
 * @module
 */
import { abortedBy } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";

/** A call that waits for money. */
export class BudgetWaiter {
  /** The scope whose budget it waits for. */
  blockedOn: string;
  /** Set at first, since money may have become free before it joined the queue. */
  #isWoken = true;
  #resume: (() => void) | undefined;

  constructor(blockedOn: string) {
    this.blockedOn = blockedOn;
  }

  /** Makes it try again. */
  wake(): void {
    this.#isWoken = true;
    this.#resume?.();
  }

  /**
   * Waits until it is woken; returns whether that was before `deadline`.
   *
   * @throws {AbortedError} when `signal` fires
   */
  async sleep(clock: Clock, deadline: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) throw abortedBy(signal);
    const left = deadline - clock.now();
    if (!this.#isWoken) {
      if (left <= 0) return false;
      const over = new AbortController();
      const end = () => over.abort();
      signal.addEventListener("abort", end);
      const woken = new Promise<void>((resolve) => this.#resume = resolve);
      await Promise.race([woken, clock.sleep(left, over.signal).catch(() => {})]);
      signal.removeEventListener("abort", end);
      over.abort();
      if (signal.aborted) throw abortedBy(signal);
    }
    const isInTime = this.#isWoken;
    this.#isWoken = false;
    this.#resume = undefined;
    return isInTime;
  }
}

/** The calls that wait for money, in order of arrival. */
export class BudgetQueue {
  readonly #waiters = new Set<BudgetWaiter>();

  /** The number of waiting calls. */
  get size(): number {
    return this.#waiters.size;
  }

  /** The scope of `scopes` for which an earlier call than `waiter` waits. */
  blockerOf(scopes: readonly string[], waiter: BudgetWaiter | undefined): string | undefined {
    for (const earlier of this.#waiters) {
      if (earlier === waiter) return undefined;
      if (scopes.includes(earlier.blockedOn)) return earlier.blockedOn;
    }
    return undefined;
  }

  /** Adds a call at the end. */
  join(blockedOn: string): BudgetWaiter {
    const waiter = new BudgetWaiter(blockedOn);
    this.#waiters.add(waiter);
    return waiter;
  }

  /** Moves a call to the budget of another scope. */
  move(waiter: BudgetWaiter, blockedOn: string): void {
    const before = waiter.blockedOn;
    if (before === blockedOn) return;
    waiter.blockedOn = blockedOn;
    this.wake([before]);
  }

  /** Removes a call; the next one may get what it waited for. */
  leave(waiter: BudgetWaiter): void {
    this.#waiters.delete(waiter);
    this.wake([waiter.blockedOn]);
  }

  /** Wakes the first call for each of these scopes, because some of their money is free. */
  wake(scopes: readonly string[]): void {
    if (this.#waiters.size === 0) return;
    for (const scope of scopes) {
      for (const waiter of this.#waiters) {
        if (waiter.blockedOn !== scope) continue;
        waiter.wake();
        break;
      }
    }
  }
}
