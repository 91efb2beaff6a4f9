/**
 * Measures the throughput of a batch on several workers, what a record costs, and the memory of a worker.
 */
import type { Measurement } from "../measurement.ts";
import { median, type Runtime, startBenchServer } from "../runtimes.ts";
import { type FleetFigures, type FleetPlan, runFleet } from "./fleet_run.ts";

/** How to measure. */
export interface FleetBenchOptions {
  rounds: number;
  /** Divides the number of records; 1 for figures to publish. */
  divisor: number;
  runtimes: readonly Runtime[];
  note: (line: string) => void;
}

async function repeat(
  rounds: number,
  plans: Record<string, FleetPlan>,
  note: (line: string) => void,
): Promise<Record<string, FleetFigures[]>> {
  const figures: Record<string, FleetFigures[]> = {};
  for (let round = 0; round < rounds; round++) {
    // One after the other in each round, so that all of them meet the same load of the machine.
    for (const [name, plan] of Object.entries(plans)) {
      const one = await runFleet(plan);
      note(`${plan.runtime.name}, ${name}: ${one.perSecond.toFixed(0)} records per second`);
      (figures[name] ??= []).push(one);
    }
  }
  return figures;
}

function rate(figures: readonly FleetFigures[]): number {
  return median(figures.map(({ perSecond }) => perSecond));
}

/** The median over all rounds of the ratio of two figures of the same round. */
function ratioOf(figures: readonly FleetFigures[], base: readonly FleetFigures[]): number {
  return median(figures.map(({ perSecond }, round) => perSecond / base[round].perSecond));
}

/** Three workers of 200 in comparison with one, in front of a server that takes 100 ms. */
export async function measureWorkers(options: FleetBenchOptions): Promise<Measurement[]> {
  const upstream = await startBenchServer(200, 100);
  const rows: Measurement[] = [];
  try {
    for (const runtime of options.runtimes) {
      const plan = { runtime, upstream, concurrency: 200 };
      const { one, three } = await repeat(options.rounds, {
        one: { ...plan, workers: 1, records: 20_000 / options.divisor },
        three: { ...plan, workers: 3, records: 60_000 / options.divisor },
      }, options.note);
      const of = {
        section: "Fleet: workers of 200",
        setting: "answers after 100 ms",
        runtime: runtime.name,
      };
      rows.push({ ...of, what: "one worker", value: rate(one), unit: "/s" }, {
        ...of,
        what: "three workers, ratio to 3 × one",
        value: rate(three),
        unit: "/s",
        ratio: ratioOf(three, one) / 3,
        target: { kind: "at least", limit: 0.9 },
      });
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}

/** Two workers in comparison with a batch without Redis, in front of a server that answers at once. */
export async function measureOverhead(options: FleetBenchOptions): Promise<Measurement[]> {
  const upstream = await startBenchServer(200, 0);
  const rows: Measurement[] = [];
  try {
    for (const runtime of options.runtimes) {
      const plan = { runtime, upstream, concurrency: 64, records: 60_000 / options.divisor };
      const { alone, two } = await repeat(options.rounds, {
        alone: { ...plan, workers: 0 },
        two: { ...plan, workers: 2 },
      }, options.note);
      const of = { section: "Fleet: overhead", setting: "answers at once", runtime: runtime.name };
      const cpu = (figures: FleetFigures[], part: keyof FleetFigures["cpu"]) =>
        median(figures.map((each) => each.cpu[part])) * 1000;
      rows.push(
        { ...of, what: "one process alone", value: rate(alone), unit: "/s" },
        {
          ...of,
          what: "two workers, ratio to it",
          value: rate(two),
          unit: "/s",
          ratio: ratioOf(two, alone),
          target: { kind: "at least", limit: 0.6 },
        },
        { ...of, what: "CPU per record, alone", value: cpu(alone, "batch"), unit: "µs" },
        { ...of, what: "CPU per record, coordinator", value: cpu(two, "batch"), unit: "µs" },
        { ...of, what: "CPU per record, workers", value: cpu(two, "worker"), unit: "µs" },
        { ...of, what: "CPU per record, Redis", value: cpu(two, "redis"), unit: "µs" },
      );
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}

/** The memory of a worker over 300,000 records. */
export async function measureMemory(options: FleetBenchOptions): Promise<Measurement[]> {
  const upstream = await startBenchServer(200, 0);
  const rows: Measurement[] = [];
  const records = 300_000 / options.divisor;
  try {
    for (const runtime of options.runtimes) {
      const { memory: [early, late] } = await runFleet({
        runtime,
        upstream,
        workers: 1,
        concurrency: 64,
        records,
      });
      const of = {
        section: "Fleet: memory of a worker",
        setting: `${records.toLocaleString("en-US")} records`,
        runtime: runtime.name,
      };
      rows.push({ ...of, what: "after 10 s", value: early, unit: "MB" }, {
        ...of,
        what: "after all, ratio to it",
        value: late,
        unit: "MB",
        ratio: late / early,
        target: { kind: "at most", limit: 1.5 },
      });
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}
