/** One batch that is tortured until it ends, and checked. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { seededRandom, seedOf } from "../../../lib/runtime/random.ts";
import type { Finished, Running } from "../../support/cli.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary_folder.ts";
import { excusedRows, randomFaults } from "./faults.ts";
import type { FastFlexllm } from "./fast_flexllm.ts";
import { Gate, type Step } from "./gate.ts";
import {
  abandonedRows,
  assertBilledOnce,
  assertComplete,
  assertSound,
  costOf,
  questionOf,
} from "./invariants.ts";
import { MockProcess } from "./mock_process.ts";
import type { Provider } from "./providers.ts";
import { ArmedStrike, nameOf, pick, randomStrike, type Strike } from "./strikes.ts";

/** USD that a row of {@link MAX_TOKENS} tokens costs at most, roughly. */
const ROW_COST = 1.1e-4;
const MAX_TOKENS = 100;
/** A process that takes longer, in milliseconds, is considered to hang: an hour of its own time. */
const LONGEST = 60_000;
const MONTH = 31 * 86_400;
/** Runs without strikes and faults in which everything must be done. */
const LAST_RUNS = 4;
/** What the command prints if it cannot tell which job an unanswered submission created. */
const AMBIGUOUS = /several jobs may be the one/;

/** What was done to a batch. */
export interface RunReport {
  kills: { client: number; mock: number };
  /** Executed strikes, by the step that they hit. */
  steps: string[];
}

interface Plan {
  count: number;
  rows: number;
  jobs: number;
  faults: string[];
  strikes: Strike[];
  /** Flags of each process but the last ones. */
  flags: string[][];
  budget?: number;
}

/** Flags of one process. */
function randomFlags(
  provider: Provider,
  random: () => number,
  { isClean, isStuck }: { isClean: boolean; isStuck: boolean },
): string[] {
  // Nobody waits a day for a job that is stuck.
  const kind = random() * (isStuck ? 0.35 : 1);
  if (kind < 0.15) return ["--no-wait"];
  if (kind > 0.27 && kind < 0.35) return ["cancel"];
  const flags = isClean ? ["--clean"] : [];
  if (kind < 0.27) flags.push("--deadline", "5s", "--then", pick(random, ["live", "stop"]));
  else if (kind < 0.5 && provider.isUnlabeled) flags.push("--resend");
  return flags;
}

/** The requests that a process with these flags makes. */
function requestsOf({ rows }: Provider, flags: readonly string[], faults: readonly string[]) {
  const requests: Step[] = ["create", "create", "poll", "download", "download"];
  if (rows !== undefined) requests.push(rows, rows);
  if (flags.includes("--clean")) requests.push("clean", "clean");
  if (flags.includes("cancel") || flags.includes("--deadline")) requests.push("cancel", "cancel");
  if (faults.some((fault) => /^create_(drop|commit)/.test(fault))) requests.push("list", "list");
  return requests;
}

function planOf(provider: Provider, random: () => number): Plan {
  const count = 4 + Math.floor(random() * 20);
  const faults = randomFaults(random)
    .filter((fault) => provider.hasCancel !== false || !fault.startsWith("stuck"));
  const isStuck = faults.some((fault) => fault.startsWith("stuck"));
  const hasBudget = !provider.reportsCost && random() < 0.25;
  const isClean = random() < 0.3;
  const flags = Array.from(
    { length: 2 + Math.floor(random() * 3) },
    () => randomFlags(provider, random, { isClean, isStuck }),
  );
  return {
    count,
    rows: 3 + Math.floor(random() * 10),
    jobs: 1 + Math.floor(random() * 4),
    faults,
    flags,
    strikes: flags.map((flags) => randomStrike(random, requestsOf(provider, flags, faults))),
    ...(hasBudget && { budget: count * ROW_COST * (0.2 + random()) }),
  };
}

/** Waits for the end of a process, or kills it: then it has no exit code that is expected. */
async function ended(running: Running): Promise<Finished> {
  const timer = setTimeout(() => running.signal("SIGABRT"), LONGEST);
  try {
    return await running.finished;
  } finally {
    clearTimeout(timer);
  }
}

class TortureRun {
  readonly report: RunReport = { kills: { client: 0, mock: 0 }, steps: [] };
  /** What happened, for the message of a failure. */
  readonly story: string[] = [];
  #isBatchOnly = true;

  constructor(
    readonly plan: Plan,
    readonly parts: {
      folder: TemporaryFolder;
      flexllm: FastFlexllm;
      mock: MockProcess;
      gate: Gate;
      provider: Provider;
    },
  ) {}

  get #log(): string {
    return this.parts.folder.file("out.jsonl.parts/log.jsonl");
  }

  /** The arguments of a process. */
  #args(flags: readonly string[]): string[] {
    const { folder, provider: { model } } = this.parts;
    const [out, config] = [folder.file("out.jsonl"), folder.file("config.yaml")];
    if (flags.includes("cancel") && existsSync(this.#log)) {
      return ["batch", "cancel", out, "-y", "--config", config, "--poll-interval", "4s"];
    }
    return [
      ...["batch", folder.file("in.jsonl"), "-o", out, "-m", model, "--config", config],
      ...["--via", "provider", "--poll-interval", "4s", "--max-tokens", String(MAX_TOKENS)],
      // Without a job, there is nothing to cancel.
      ...flags.map((flag) => flag === "cancel" ? "--no-wait" : flag),
    ];
  }

  /** Runs a process under a strike, and checks how it ends. Returns whether everything is done. */
  async struck(strike: Strike, flags: string[]): Promise<boolean> {
    const { budget } = this.plan;
    const args = this.#args(flags);
    if (budget !== undefined && args[1] !== "cancel") args.push("--budget", String(budget));
    await using running = this.parts.flexllm.start(args);
    const armed = new ArmedStrike(strike, { ...this.parts, running, log: this.#log });
    const { code, signal, stderr } = await ended(running);
    await armed.over();
    const { target, how } = strike;
    const what = armed.hasHit ? `${how} of ${target} at ${nameOf(strike)}` : "no strike";
    this.story.push(`${flags.join(" ")}: ${what}: exit ${code ?? signal}\n${stderr}`);
    this.#count(strike, armed.hasHit);
    if (flags.includes("live")) this.#isBatchOnly = false;
    const isOfClient = armed.hasHit && target !== "mock";
    // A process may also have ended by itself just before the signal was sent.
    if (isOfClient && how === "SIGKILL" && signal !== null) assert.equal(signal, "SIGKILL");
    else if (isOfClient && how === "SIGINT" && signal === null) {
      assert.ok([0, 3, 4, 5, 130].includes(code!), `exit ${code}`);
    } else if (!(isOfClient && how === "SIGINT")) {
      this.#checkCode(code, stderr, flags);
    }
    assertSound(this.parts.folder);
    if (budget !== undefined) {
      const cost = costOf(this.parts.folder);
      assert.ok(cost <= budget, `spent ${cost} of ${budget}`);
    }
    return code === 0 && args[1] !== "cancel";
  }

  #checkCode(code: number | null, stderr: string, flags: readonly string[]): void {
    if (code === 0 || code === 3) return;
    if (code === 4 && this.plan.budget !== undefined) return;
    if (code === 5 && (flags.includes("--no-wait") || flags.includes("cancel"))) return;
    // A provider that refuses small jobs twice in a row refuses all.
    const isRefused = this.plan.faults.some((fault) => /^(invalid_line|token_limit)/.test(fault));
    assert.ok(code === 1 && isRefused && /refuse/.test(stderr), `exit ${code}`);
  }

  #count({ target, how, ...strike }: Strike, hasHit: boolean): void {
    if (!hasHit) return;
    this.report.steps.push(nameOf({ target, how, ...strike }));
    if (how !== "SIGKILL") return;
    if (target !== "mock") this.report.kills.client++;
    if (target !== "client") this.report.kills.mock++;
  }

  /** Runs the command without faults until everything is done, and checks the invariants. */
  async finish(): Promise<void> {
    const { folder, flexllm, mock, provider } = this.parts;
    await mock.setFaults([]);
    // Jobs that are stuck expire, even where they cannot be cancelled.
    if (this.plan.faults.some((fault) => fault.startsWith("stuck"))) await mock.advance(MONTH);
    let code: number | null = null;
    let flags: string[] = [];
    for (let runs = 0; code !== 0; runs++) {
      await using running = flexllm.start(this.#args(flags));
      const finished = await ended(running);
      code = finished.code;
      this.story.push(`last run: exit ${code}\n${finished.stderr}`);
      // After --resend: the mock's jobs live in fast time, but the dates of its answers, which would distinguish
      // the abandoned job from a later one, do not.
      const isAmbiguous = provider.isUnlabeled === true && AMBIGUOUS.test(finished.stderr);
      flags = isAmbiguous ? ["--resend"] : [];
      assert.ok(code === 0 || code === 3 || isAmbiguous, `exit ${code}`);
      assert.ok(runs < LAST_RUNS, "the batch does not get done");
    }
    assertComplete(folder, this.plan.count);
    assertBilledOnce(await mock.ledger(), {
      count: this.plan.count,
      excused: excusedRows(mock.jobs()) + (provider.isUnlabeled ? abandonedRows(folder) : 0),
      isBatchOnly: this.#isBatchOnly,
    });
  }
}

/**
 * Tortures one batch.
 *
 * @throws {AssertionError} if an invariant does not hold
 */
export async function tortureRun(
  flexllm: FastFlexllm,
  provider: Provider,
  seed: number,
): Promise<RunReport> {
  const plan = planOf(provider, seededRandom(seedOf(provider.name, seed)));
  using folder = temporaryFolder();
  await using gate = await Gate.open();
  await using mock = new MockProcess(flexllm, gate, folder.file("state"));
  await mock.start();
  await mock.setFaults(plan.faults);
  const questions = Array.from({ length: plan.count }, (_, i) => ({ q: questionOf(i) }));
  folder.write("in.jsonl", questions.map((line) => `${JSON.stringify(line)}\n`).join(""));
  folder.write(
    "config.yaml",
    `models:
  - id: ${provider.model}
    provider: ${provider.provider}
    base_url: http://127.0.0.1:${gate.port}${provider.base}
    api_key: sk-torture
    price: {input: 1, output: 2, batch: 0.5}
batch: {jobs: {rows: ${plan.rows}, concurrent: ${plan.jobs}}}
`,
  );
  const run = new TortureRun(plan, { folder, flexllm, mock, gate, provider });
  try {
    for (const [i, strike] of plan.strikes.entries()) {
      if (await run.struck(strike, plan.flags[i])) break;
    }
    await run.finish();
  } catch (error) {
    const log = existsSync(folder.file("out.jsonl.parts/log.jsonl"))
      ? folder.read("out.jsonl.parts/log.jsonl")
      : "no log";
    const story = run.story.join("\n");
    throw new Error(
      `${provider.name}, seed ${seed}: ${error instanceof Error ? error.message : error}\n` +
        `${JSON.stringify(plan)}\n${story}\n${log}`,
      { cause: error },
    );
  }
  return run.report;
}
