/**
 * `deno task torture`: every scenario with many seeds and rounds, until one breaks an invariant.
 *
 * Options: --seed N (default 1), --rounds N (default 50: kills of one scenario), --times N (default 1:
 * how often each scenario is run, each time with another seed), --only TEXT.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { SCENARIOS } from "./scenarios.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "50" },
    times: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});

for (let time = 0; time < Number(values.times); time++) {
  const seed = Number(values.seed) + time;
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (!name.includes(values.only)) continue;
    const begun = performance.now();
    process.stdout.write(`${name} (seed ${seed}) … `);
    await scenario(seed, Number(values.rounds));
    process.stdout.write(`held, ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  }
}
process.exit(0);
