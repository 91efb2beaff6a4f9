/**
 * Reads the CPU time and the memory of a process from /proc.
 */
import { readFileSync } from "node:fs";

/** Clock ticks per second of /proc. */
const TICKS = 100;

/** CPU time of a process so far, in ms. Needs /proc. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS;
}

/** Resident memory of a process in MB. Needs /proc. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1000;
}
