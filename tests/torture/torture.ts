/**
 * `deno task torture`: runs every scenario, and stops when an invariant is violated.
 *
 * Options: --seed N (default 1), --rounds N (kills per scenario, or provider batches, default 60), --times N
 * (repetitions, each with another seed, default 1), --only TEXT (scenarios whose name contains it).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { checkTraffic } from "../support/gateway_traffic.ts";
import { killLedgers } from "../support/ledger_kills.ts";
import { redisServer } from "../support/redis_server.ts";
import { killSharedGateways } from "../support/shared_ledger_kills.ts";
import { fleetScenarios, outcomeTable } from "./fleet/scenarios.ts";
import { disposeProgram, providerBatches } from "./provider_batches.ts";
import { SCENARIOS } from "./scenarios.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "60" },
    times: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});

const LEDGER_WORKER = fileURLToPath(new URL("../support/ledger_worker.ts", import.meta.url));

const outcomes: (readonly string[])[] = [];

const scenarios = {
  ...SCENARIOS,
  "SIGKILL of a gateway that spends money": (seed: number, rounds: number) =>
    killLedgers(LEDGER_WORKER, seed, rounds),
  ...(redisServer === undefined ? {} : {
    "SIGKILL of gateways that share a budget": (seed: number, rounds: number) =>
      killSharedGateways(LEDGER_WORKER, seed, rounds),
  }),
  "random traffic through a gateway with budgets": async (seed: number, rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await checkTraffic({ seed: seed * 1000 + round, clients: 24, calls: 20 });
    }
  },
  ...providerBatches((summary) => process.stdout.write(`${summary}\n`)),
  ...(redisServer === undefined ? {} : fleetScenarios((row) => outcomes.push(row))),
};

try {
  for (let time = 0; time < Number(values.times); time++) {
    const seed = Number(values.seed) + time;
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (!name.includes(values.only)) continue;
      const start = performance.now();
      process.stdout.write(`${name} (seed ${seed}) … `);
      await scenario(seed, Number(values.rounds));
      process.stdout.write(`passed, ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    }
  }
} finally {
  if (outcomes.length > 0) process.stdout.write(`\n${outcomeTable(outcomes)}`);
  disposeProgram();
}
process.exit(0);
