/**
 * Formats durations, amounts of money and shell arguments for people.
 *
 * @module
 */

/** A duration as a person says it. */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A cost in USD with as many digits as it needs. */
export function dollars(cost: number): string {
  return `$${cost >= 1 || cost === 0 ? cost.toFixed(2) : cost.toPrecision(3)}`;
}

/** An argument as a shell reads it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** A number with its noun: `1 answer`, `2 answers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
