/** Kills runs of provider jobs at every kind of step: no row is billed twice, and none is lost. */
import assert from "node:assert/strict";
import type { Outcome } from "../../../lib/batch/executor.ts";
import type { PartDraft, PartStore } from "../../../lib/batch/jobs/part_store.ts";
import { seededRandom } from "../../../lib/runtime/random.ts";
import { JobWorld, records } from "../../support/job_world.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";

const ROWS = 130;
/** Kills of each kind of API. */
const KILLS = 70;

/** Ends a process at its `n`-th step, counted from 0: from then on it changes nothing. */
class Killer {
  readonly #at: number;
  steps = 0;
  isDead = false;
  readonly #died = Promise.withResolvers<void>();
  readonly died = this.#died.promise;

  constructor(at: number) {
    this.#at = at;
  }

  #isHit(): boolean {
    if (this.isDead || this.steps++ !== this.#at) return this.isDead;
    this.isDead = true;
    this.#died.resolve();
    return true;
  }

  /** A step that is synchronous. */
  step(): void {
    if (this.#isHit()) throw new Error("killed");
  }

  /** A step that never ends if the process is killed. */
  async wait(): Promise<void> {
    if (this.#isHit()) await new Promise(() => {});
  }
}

/** A store that a killed process cannot write to. */
function mortalStore(store: PartStore, killer: Killer): PartStore {
  const mortal = <A extends unknown[], R>(call: (...args: A) => R) => (...args: A): R => {
    killer.step();
    const result = call(...args);
    killer.step();
    return result;
  };
  const draft = (): PartDraft => {
    const draft = store.draft();
    return {
      get nonce() {
        return draft.nonce;
      },
      get rows() {
        return draft.rows;
      },
      get bytes() {
        return draft.bytes;
      },
      get promptTokens() {
        return draft.promptTokens;
      },
      get maxCost() {
        return draft.maxCost;
      },
      rowId: draft.rowId.bind(draft),
      add: draft.add.bind(draft),
      plan: mortal(draft.plan.bind(draft)),
      discard: () => killer.isDead ? undefined : draft.discard(),
    };
  };
  return {
    get parts() {
      return store.parts;
    },
    draft,
    log: mortal(store.log.bind(store)),
    input: store.input.bind(store),
    exportRows: store.exportRows.bind(store),
    records: store.records.bind(store),
    release: (part) => killer.isDead ? undefined : store.release(part),
    isCancelRequested: () => false,
    clearCancelRequest: () => {},
    [Symbol.dispose]: () => {},
  };
}

/** Runs the batch until it ends or is killed. Returns the steps that it took. */
async function run(world: JobWorld, killer: Killer): Promise<number> {
  using store = await world.openStore();
  world.provider.before = world.provider.after = () => killer.wait();
  const executor = world.executor(mortalStore(store, killer), { limits: { rows: 60, jobs: 2 } });
  const record = world.record.bind(world);
  const consumed = (async () => {
    const isDone = (index: number) => world.isDone(index) && !executor.isYielded(index);
    const pending = records(ROWS).filter(({ index }) => !isDone(index));
    for await (const group of executor.run(pending)) {
      killer.step();
      record(group as Outcome[]);
      killer.step();
    }
  })();
  const ended = consumed.catch((error) => {
    if (!killer.isDead) throw error;
  });
  await world.clock.run(Promise.race([ended, killer.died]));
  return killer.steps;
}

/** Jobs that expire halfway, lose rows and have temporary failures. */
function unreliable(world: JobWorld): void {
  const seen = new Set<number>();
  world.provider.runs = 50;
  world.provider.fate = (index) => {
    const isFirst = !seen.has(index);
    seen.add(index);
    if (!isFirst || index % 10 > 2) return "answer";
    return index % 10 === 0 ? "expired" : index % 10 === 1 ? "missing" : { error: 500 };
  };
}

const KINDS = [
  { foundBy: "file", fills: false },
  { foundBy: "label", fills: false },
  { foundBy: "label", fills: true },
  { foundBy: "id", fills: false },
  { foundBy: "nothing", fills: false },
] as const;

for (const [seed, kind] of KINDS.entries()) {
  const name = `${kind.foundBy}${kind.fills ? ", filled afterwards" : ""}`;
  Deno.test(`a run that is killed anywhere is continued: ${name}`, async () => {
    const random = seededRandom(seed);
    let steps = Infinity;
    for (let kill = 0; kill <= KILLS; kill++) {
      using folder = memoryFolder();
      const world = new JobWorld(folder.file("out.jsonl"), kind);
      unreliable(world);
      // The first run is not killed and counts the steps; the others are killed once, or several times.
      const at = kill === 0 ? Infinity : Math.floor(((kill - 1 + random()) / KILLS) * steps);
      const killed = [at];
      const taken = await run(world, new Killer(at));
      if (kill === 0) steps = taken;
      while (kill % 3 === 2 && killed.length < 4) {
        killed.push(Math.floor(random() * 40));
        await run(world, new Killer(killed.at(-1)!));
      }
      if (kill > 0) await run(world, new Killer(Infinity));
      const where = `killed at ${killed} of ${steps}`;
      assert.deepEqual(world.billedTwice, [], where);
      assert.equal(world.provider.billed.size, ROWS, where);
      assert.equal(world.outcomes.size, ROWS, where);
      assert.equal(world.single, ROWS, where);
      for (let i = 0; i < ROWS; i++) assert.ok(world.last(i)!.ok, where);
      using store = await world.openStore();
      for (const { phase } of store.parts) {
        assert.ok(phase === "collected" || phase === "dropped", `${phase}, ${where}`);
      }
    }
    assert.ok(steps >= 60, `only ${steps} steps`);
  });
}
