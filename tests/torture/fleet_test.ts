/** Runs a few faults of a fleet. `deno task torture` runs all of them, and for longer. */
import { redisServer } from "../support/redis_server.ts";
import { type Fault, surviveFaults } from "./fleet/fleet_faults.ts";
import { checkBudget, checkRate } from "./fleet/shared_limits.ts";

const ignore = redisServer === undefined;

const PLANS: Fault[][] = [
  ["kill a worker", "kill the coordinator"],
  ["freeze a worker", "empty Redis"],
  ["kill Redis", "freeze the coordinator"],
];

for (const [i, plan] of PLANS.entries()) {
  Deno.test(`a fleet survives: ${plan.join(", ")}`, { ignore }, async () => {
    await surviveFaults(20261128 + i, plan, 30);
  });
}

for (const fault of ["a process is killed", "Redis comes back empty"] as const) {
  Deno.test(`a shared rate holds: ${fault}`, { ignore }, async () => {
    await checkRate(fault, { seconds: 2 });
  });
  Deno.test(`a shared budget holds: ${fault}`, { ignore }, async () => {
    await checkBudget(fault, { seconds: 1 });
  });
}
