/** The scenarios of fleets for `deno task torture`, and a table of what became of them. */
import type { Scenario } from "../running.ts";
import { NetworkHosts } from "../../support/network_hosts.ts";
import { type Fault, FAULTS, planOf, surviveFaults, WORKERS } from "./fleet_faults.ts";
import { checkBudget, checkRate, LIMIT_FAULTS } from "./shared_limits.ts";

const DISCONNECT: Fault = "disconnect a worker's host";
/** The faults that need no network of their own. */
const KINDS = (Object.keys(FAULTS) as Fault[]).filter((fault) => fault !== DISCONNECT);

/** Rounds of a random plan, since each of them can take seconds. */
const MOST_ROUNDS = 20;

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The scenarios; `report` gets a row of the table for each that has passed. */
export function fleetScenarios(
  report: (cells: readonly string[]) => void = () => {},
): Record<string, Scenario> {
  const scenarios: Record<string, Scenario> = {};
  const survive = async (name: string, seed: number, plan: Fault[], network?: NetworkHosts) => {
    const { records, paidAgain, allowed } = await surviveFaults(seed, plan, 60, network);
    report([
      `batch: ${name}`,
      `${records} of ${records} answered once, ${paidAgain} paid again (up to ${allowed} in flight)`,
    ]);
  };
  for (const fault of KINDS) {
    scenarios[`fleet: ${fault}`] = (seed) => survive(`${fault}, twice`, seed, [fault, fault]);
  }
  scenarios["fleet: random faults"] = async (seed, rounds) => {
    const plan = planOf(seed, Math.min(rounds, MOST_ROUNDS), KINDS);
    await survive(`${plan.length} random faults, seed ${seed}`, seed, plan);
  };
  scenarios[`fleet of hosts: ${DISCONNECT}, kill a worker`] = async (seed) => {
    using network = NetworkHosts.create(WORKERS);
    // Only root can create them.
    if (network === undefined) return report(["batch: hosts", "not possible on this machine"]);
    const plan: Fault[] = [DISCONNECT, "kill a worker", DISCONNECT];
    await survive(plan.join(", "), seed, plan, network);
  };
  for (const fault of LIMIT_FAULTS) {
    scenarios[`shared rate: ${fault}`] = async () => {
      const { peak, used } = await checkRate(fault);
      report([`rate: ${fault}`, `at most ${percent(peak)} in a second, ${percent(used)} used`]);
    };
    scenarios[`shared budget: ${fault}`] = async () => {
      const { used } = await checkBudget(fault);
      report([`budget: ${fault}`, `${percent(used)} billed`]);
    };
  }
  return scenarios;
}

/** A table of failures and outcomes. */
export function outcomeTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([failure]) => failure.length));
  return rows.map(([failure, outcome]) => `${failure.padEnd(width)}  ${outcome}\n`).join("");
}
