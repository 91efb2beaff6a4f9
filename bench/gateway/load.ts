/**
 * Runs the load generator in a process of its own.
 */
import { execFileSync, type StdioOptions } from "node:child_process";
import type { LoadPlan, LoadResult } from "./workers/load_generator.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The path of a source file of the benchmarks, from the root of the project. */
export function sourceFile(path: string): string {
  return `${ROOT}${path}`;
}

/** Sends requests and returns the figures of each server. */
export function sendLoad(plan: LoadPlan): LoadResult {
  const source = sourceFile("bench/gateway/workers/load_generator.ts");
  const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
  return JSON.parse(
    execFileSync("bun", [source, JSON.stringify(plan)], { encoding: "utf8", stdio }),
  );
}
