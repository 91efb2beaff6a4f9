/** What a batch shows of its workers: the progress line, the notes and the report. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import process from "node:process";
import {
  type FleetOutcome,
  FleetWatch,
  type WatchedFleet,
} from "../../../commands/batch/fleet/fleet_watch.ts";
import { fleetJson, fleetSentences } from "../../../commands/batch/fleet/fleet_report.ts";
import { fleetSettings } from "../../../commands/batch/fleet/fleet_settings.ts";
import { fitLine } from "../../../commands/batch/progress/line_parts.ts";
import { workerParts, type WorkersState } from "../../../commands/batch/progress/worker_line.ts";
import { dollars } from "../../../commands/terminal/format.ts";
import type { WorkerStatus } from "../../../lib/fleet/fleet_status.ts";
import { ConfigurationError } from "../../../lib/errors.ts";

const WORKER: WorkerStatus = {
  id: "1",
  name: "gpu1:4242",
  host: "gpu1",
  pid: 4242,
  version: "0.1.0",
  isEmbedded: false,
  job: "answers",
  state: "working",
  concurrency: 16,
  inFlight: 12,
  done: 1000,
  failed: 0,
  rate: 12.34,
  cost: 0,
  isHealthy: true,
  age: 0,
};
const OWN: WorkerStatus = {
  ...WORKER,
  id: "2",
  host: hostname(),
  pid: process.pid,
  isEmbedded: true,
  rate: 20,
  inFlight: 4,
};
const FAILING: WorkerStatus = {
  ...WORKER,
  id: "3",
  name: "gpu2:17",
  failed: 3,
  rate: 0,
  lastError: "the server answered\u001b[31m 500",
};

function line(state: Partial<WorkersState>, columns: number): string {
  const all = { workers: [], refusals: [], isConnected: true, ...state };
  return fitLine(workerParts(all), columns, (_, text) => text);
}

Deno.test("the progress shows workers, their rates and errors, as far as they fit", () => {
  const workers = [WORKER, OWN, FAILING];
  assert.equal(line({ workers }, 20), "3 workers  28/48");
  assert.equal(line({ workers }, 60), "3 workers: this process 20/s  gpu1:4242 12/s  28/48");
  assert.equal(
    line({ workers }, 100),
    "3 workers: this process 20/s  gpu1:4242 12/s  gpu2:17 idle, 3 failed  28 of 48 in flight",
  );
  const wide = line({ workers }, 200);
  assert.match(wide, /last error of gpu2:17: the server answered/);
  assert.ok(!wide.includes("\u001b"), "control characters of servers are removed");
  assert.equal(line({}, 60), "no workers yet");
  assert.equal(
    line({ workers: [WORKER], isConnected: false }, 40),
    "Redis is down  1 worker  12/16",
  );
  const many = Array.from({ length: 30 }, (_, i) => ({ ...WORKER, id: `${i}`, name: `w${i}` }));
  assert.match(line({ workers: many }, 400), /w7 12\/s {2}and 22 more {2}360 of 480 in flight$/);
  // The worker of a run that was killed.
  assert.match(line({ workers: [{ ...OWN, pid: 0 }] }, 60), /^1 worker: gpu1:4242 20\/s/);
  const refusals = [{ worker: "gpu3", reason: "no key" }];
  assert.match(line({ workers, refusals }, 60), /1 cannot take part/);
});

function fleetWith(state: Partial<WatchedFleet["jobs"][number]>): WatchedFleet {
  const job = {
    id: "answers",
    duplicates: { answers: 0, cost: 0, unpriced: 0 },
    reassigned: 0,
    hedged: 0,
    left: { records: 0, answers: 0 },
    workers: [],
    contributors: [],
    refusals: [],
    isConnected: true,
    ...state,
  };
  return { server: "redis://queue:6379", jobs: [job] };
}

Deno.test("a batch without workers says once how to start them, and again after it has lost all", () => {
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  let workers: WorkerStatus[] = [];
  const fleet = fleetWith({});
  Object.defineProperty(fleet.jobs[0], "workers", { get: () => workers });
  const watch = new FleetWatch(fleet, 0);
  for (const now of [500, 2500, 3000, 3500, 9000]) watch.look(note, now);
  assert.equal(
    notes.join(" "),
    "Waiting for workers. Start them with `flexllm worker` and the same server, redis://queue:6379",
  );
  workers = [WORKER];
  watch.look(note, 10_000);
  workers = [];
  watch.look(note, 11_000);
  assert.equal(notes.length, 1);
  watch.look(note, 13_500);
  assert.equal(notes.length, 2);
  assert.deepEqual(watch.outcome().workers, [WORKER]);
});

Deno.test("each refusal is reported once", () => {
  const notes: string[] = [];
  const refusals = [{ worker: "gpu3", reason: "there is no API key" }];
  const watch = new FleetWatch(fleetWith({ workers: [WORKER], refusals }), 0);
  for (let now = 0; now < 3000; now += 500) watch.look((text) => notes.push(text), now);
  assert.deepEqual(notes, ["warning: worker gpu3 cannot take part: there is no API key"]);
});

const OUTCOME: FleetOutcome = {
  jobs: ["answers"],
  workers: [OWN, WORKER],
  duplicates: { answers: 2, cost: 0.01, unpriced: 0 },
  reassigned: 1,
  hedged: 3,
  left: { records: 0, answers: 0 },
};

Deno.test("the report counts lost workers, second copies and what duplicates cost", () => {
  assert.deepEqual(fleetSentences(OUTCOME, dollars), [
    "Sent by this process and 1 other worker.",
    "1 record went to another worker because its first one was lost.",
    "3 slow records also went to a second worker (--hedge).",
    "2 answers arrived twice ($0.01, not counted above).",
  ]);
  const { duplicate_answers, duplicate_cost, reassigned, hedged, workers } = fleetJson(OUTCOME);
  assert.deepEqual([duplicate_answers, duplicate_cost, reassigned, hedged], [2, 0.01, 1, 3]);
  assert.equal(workers.length, 2);
  const nothing = { answers: 0, cost: 0, unpriced: 0 };
  const calm = { ...OUTCOME, workers: [OWN], duplicates: nothing, reassigned: 0, hedged: 0 };
  assert.deepEqual(fleetSentences(calm, dollars), []);
  const stopped = { ...calm, left: { records: 1, answers: 12 } };
  assert.deepEqual(fleetSentences(stopped, dollars), [
    "Left: 1 record with workers, 12 answers in Redis. Run the same command again within a week to collect them.",
  ]);
  assert.deepEqual(fleetJson(stopped).records_with_workers, 1);
  assert.deepEqual(fleetJson(stopped).answers_in_redis, 12);
});

Deno.test("a worker that joined and left between two looks is counted if it has sent results", () => {
  const watch = new FleetWatch(fleetWith({ contributors: [WORKER] }), 0);
  watch.look(() => {}, 500);
  assert.deepEqual(watch.outcome().workers, [WORKER]);
});

Deno.test("flags of a fleet need a server, and live requests", () => {
  const live = { via: "live" } as const;
  assert.equal(fleetSettings({}, live, undefined), undefined);
  assert.throws(
    () => fleetSettings({ job: "x", hedge: true }, live, undefined),
    (error) =>
      error instanceof ConfigurationError &&
      error.message === "--job and --hedge need a Redis server",
  );
});
