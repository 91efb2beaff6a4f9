/** Runs a few faults of a fleet. `deno task torture` runs all of them, and for longer. */
import { NetworkHosts } from "../support/network_hosts.ts";
import { redisServer } from "../support/redis_server.ts";
import { type Fault, surviveFaults, WORKERS } from "./fleet/fleet_faults.ts";
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

Deno.test("a fleet of hosts survives: a host is disconnected", { ignore }, async () => {
  using network = NetworkHosts.create(WORKERS);
  // Only root can create hosts; for others, a worker that is frozen comes closest.
  const fault = network === undefined ? "freeze a worker" : "disconnect a worker's host";
  await surviveFaults(20261131, [fault], 60, network);
});

for (const fault of ["a process is killed", "Redis comes back empty"] as const) {
  Deno.test(`a shared rate holds: ${fault}`, { ignore }, async () => {
    await checkRate(fault, { seconds: 2 });
  });
  Deno.test(`a shared budget holds: ${fault}`, { ignore }, async () => {
    await checkBudget(fault, { seconds: 1 });
  });
}
