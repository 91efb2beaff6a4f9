/** Notices when this process is held up because the machine is busy. */

/** When a process was held up, in milliseconds of the machine's time. */
export type Stall = [from: number, to: number];

/** Milliseconds between two looks at the clock. */
const TICK = 5;
/** Milliseconds of delay that count. */
const STALL = 10;

/** The time of this machine in milliseconds, also after a jump of the time of day. */
export function machineTime(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls `onStall` whenever this process was held up. */
export function watchStalls(onStall: (stall: Stall) => void): void {
  let last = machineTime();
  const timer = setInterval(() => {
    const now = machineTime();
    if (now - last > TICK + STALL) onStall([last, now]);
    last = now;
  }, TICK);
  // deno-lint-ignore no-explicit-any
  (globalThis as any).Deno?.unrefTimer(timer);
}
