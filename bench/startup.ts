/**
 * Measures how long short commands take, from the start of the process to its end.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement } from "./measurement.ts";
import { compileBinary, elapsed, median, run, RUNTIMES, scratch } from "./runtimes.ts";

/** Maximum milliseconds for commands of the binary. */
const GOALS: Record<string, number | undefined> = {
  "flexllm version": 10,
  "flexllm ask": 60,
  "flexllm batch, one record": 60,
};

/** The commands, which use the built-in mock model. `batch` writes `output`. */
function commands(input: string, output: string): Record<string, string[]> {
  return {
    "flexllm version": ["version"],
    "flexllm --help": ["--help"],
    "flexllm ask": ["ask", "-m", "mock", "hi"],
    "flexllm batch, one record": ["batch", input, "-o", output, "-m", "mock"],
  };
}

/** Measures each command `count` times on both runtimes, against an empty script, and as a binary. */
export function measureStart(count: number): Measurement[] {
  const [input, output] = [scratch("one.jsonl"), scratch("one_answer.jsonl")];
  writeFileSync(input, '{"q":"hi"}\n');
  const medianOf = (measure: () => number) =>
    median(Array.from({ length: count }, () => {
      rmSync(output, { force: true });
      return measure();
    }));
  const measure = (command: string[]) => ({
    value: medianOf(() => elapsed(command)),
    cpu: medianOf(() => run(command).cpuSeconds) * 1e6,
  });
  const of = { section: "Startup", setting: `median of ${count}`, unit: "ms" };
  const rows: Measurement[] = RUNTIMES.flatMap(({ name: runtime, launch }) => {
    const empty = measure(launch("bench/workers/empty.ts"));
    return [
      { ...of, runtime, what: "empty script", ...empty, ratio: 1 },
      ...Object.entries(commands(input, output)).map(([what, args]): Measurement => {
        const figures = measure([...launch("main.ts"), ...args]);
        const ratio = figures.value / empty.value;
        const target = { kind: "at most", limit: 1.5 } as const;
        const isGoal = what === "flexllm version";
        return { ...of, runtime, what, ...figures, ratio, ...isGoal && { target } };
      }),
    ];
  });
  const binary = compileBinary();
  for (const [what, args] of Object.entries(commands(input, output))) {
    const limit = GOALS[what];
    const target = limit === undefined ? undefined : { kind: "at most", limit } as const;
    rows.push({ ...of, runtime: "binary", what, ...measure([binary, ...args]), target });
  }
  return rows;
}
