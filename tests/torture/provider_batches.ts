/** Tortures provider batches: the client and the mock are killed at every step, while the mock fails. */
import { FastFlexllm } from "./provider_batches/fast_flexllm.ts";
import { fullDiskOfProviderBatch } from "./provider_batches/full_disk.ts";
import { PROVIDERS } from "./provider_batches/providers.ts";
import { type RunReport, tortureRun } from "./provider_batches/torture_run.ts";
import type { Scenario } from "./running.ts";

/** The program in a bundle, made once. */
let program: FastFlexllm | undefined;

/** What was done to the batches of one provider, for people. */
export function summaryOf(reports: readonly RunReport[]): string {
  const sum = (count: (report: RunReport) => number) =>
    reports.reduce((total, report) => total + count(report), 0);
  const steps = new Map<string, number>();
  for (const step of reports.flatMap((report) => report.steps)) {
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  const counts = [...steps].sort(([a], [b]) => a < b ? -1 : 1).map(([step, n]) => `${step} ${n}`);
  return `${reports.length} batches, ${sum(({ kills }) => kills.client)} kills of the client, ` +
    `${sum(({ kills }) => kills.mock)} of the mock; ${counts.join(", ")}`;
}

/**
 * The scenarios of provider batches. That of a provider tortures as many batches as it has rounds.
 *
 * @param report receives a summary of each provider
 */
export function providerBatches(
  report: (summary: string) => void = () => {},
): Record<string, Scenario> {
  const scenarios = PROVIDERS.map((provider): [string, Scenario] => [
    `provider batches of ${provider.name}`,
    async (seed, rounds) => {
      program ??= new FastFlexllm();
      const reports: RunReport[] = [];
      for (let i = 0; i < rounds; i++) {
        reports.push(await tortureRun(program, provider, seed * 1000 + i));
      }
      report(summaryOf(reports));
    },
  ]);
  return {
    ...Object.fromEntries(scenarios),
    "a full disk during a provider batch": fullDiskOfProviderBatch,
  };
}

/** Deletes the bundle. */
export function disposeProgram(): void {
  program?.[Symbol.dispose]();
  program = undefined;
}
