/** Starts batches, waits for conditions, and waits for the end of a batch. */
import assert from "node:assert/strict";
import { flexllm, type Running } from "../support/cli.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import type { HostileServer } from "./hostile_server.ts";

export type Scenario = (seed: number, rounds: number) => Promise<void>;

export const CONCURRENCY = 8;
/** A run that takes longer, in milliseconds, is considered to hang. */
export const LONGEST = 120_000;

export function batch(folder: TemporaryFolder, server: HostileServer, concurrency = CONCURRENCY) {
  return [
    ...["batch", folder.file("in.jsonl"), "-o", folder.file("out.jsonl"), "-m", "m"],
    ...["--base-url", server.baseUrl, "-c", String(concurrency)],
    // Enough retries that no record fails by bad luck.
    ...["--retry-times", "40", "--config", folder.write("c.yaml", "batch: {retry_delay: 0.01}\n")],
  ];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function until(condition: () => boolean, running?: Running): Promise<void> {
  const end = performance.now() + LONGEST;
  while (!condition() && (running === undefined || running.process.exitCode === null)) {
    if (performance.now() > end) throw new Error("waited for too long");
    await sleep(2);
  }
}

/** Runs a batch until it exits with one of the expected `codes`. */
export async function finish(args: string[], ...codes: number[]): Promise<void> {
  const { code, stderr } = await flexllm(args);
  assert.ok(codes.includes(code ?? -1), `exit ${code}, expected ${codes}: ${stderr}`);
}
