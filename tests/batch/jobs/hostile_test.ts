/** Provider jobs against services that are hostile, broken, or late: nothing is paid for twice. */
import assert from "node:assert/strict";
import type { BatchApi, Job, RowResult } from "../../../lib/batch_api/batch_api.ts";
import { AuthenticationError, HttpError } from "../../../lib/errors.ts";
import { type FakeProviderOptions, noHttp } from "../../support/fake_batch_provider.ts";
import { JobWorld, records } from "../../support/job_world.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";

function jobTest(
  name: string,
  options: Partial<FakeProviderOptions>,
  test: (world: JobWorld) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using folder = memoryFolder();
    await test(new JobWorld(folder.file("out.jsonl"), { foundBy: "label", ...options }));
  });
}

/** The provider's API with other calls. */
function apiWith(world: JobWorld, fields: Partial<BatchApi>): { api: BatchApi } {
  return { api: { ...world.provider.api(), ...fields } };
}

function assertPaidOnce(world: JobWorld, count: number): void {
  assert.equal(world.single, count);
  assert.ok([...world.outcomes.values()].every(([{ ok }]) => ok));
  assert.deepEqual(world.billedTwice, []);
}

const HOUR = 3_600_000;
const WEB_PAGE = "<html><body>Sign in to the network</body></html>";

jobTest(
  "a web page instead of results is read again, and sends nothing again",
  {},
  async (world) => {
    let pages = 2;
    const { results } = world.provider.api();
    const clientFields = apiWith(world, {
      async *results(http, job, parse): AsyncGenerator<RowResult> {
        if (pages-- > 0) {
          try {
            parse(WEB_PAGE);
          } catch {
            // As the adapters do.
          }
          return;
        }
        yield* results(http, job, parse);
      },
    });
    await world.run(records(20), { clientFields });
    assertPaidOnce(world, 20);
    assert.equal(world.provider.jobs.size, 1);
  },
);

jobTest("a download that lost its end is read again", {}, async (world) => {
  let reads = 0;
  world.provider.results = (rows) => reads++ === 0 ? rows.slice(0, 7) : rows;
  await world.run(records(20));
  assertPaidOnce(world, 20);
});

jobTest("result files that are named late are waited for", {}, async (world) => {
  const { get, results } = world.provider.api();
  let final = 0;
  const clientFields = apiWith(world, {
    async get(http, id): Promise<Job> {
      const job = await get(http, id);
      return job.status === "completed" && final++ > 1 ? { ...job, output: { file: "f" } } : job;
    },
    async *results(http, job, parse): AsyncGenerator<RowResult> {
      if (job.output !== undefined) yield* results(http, job, parse);
    },
  });
  await world.run(records(20), { clientFields });
  assertPaidOnce(world, 20);
});

for (
  const [what, change, message] of [
    ["no result", () => [], /has ended, and returned no results for 20 records/],
    [
      "only results with other ids",
      (rows: RowResult[]) => rows.map((row) => ({ ...row, id: row.id.toUpperCase() })),
      /returned 20 results with unknown ids for 20 records/,
    ],
    [
      "only results with other fingerprints",
      (rows: RowResult[]) => rows.map((row) => ({ ...row, id: `${row.id.slice(0, -8)}00000000` })),
      /returned 20 results with unknown ids/,
    ],
  ] as const
) {
  jobTest(
    `a completed job with ${what} ends the run, and only --resend pays again`,
    {},
    async (world) => {
      const { results } = world.provider;
      world.provider.results = (rows) => [...change(rows)];
      for (let run = 0; run < 2; run++) {
        await assert.rejects(world.run(records(20)), message);
        assert.equal(world.provider.jobs.size, 1);
      }
      world.provider.results = (rows, job) =>
        job.id === "job_1" ? [...change(rows)] : results(rows, job);
      await world.run(records(20), { resend: true });
      assert.equal(world.single, 20);
      assert.equal(world.provider.jobs.size, 2);
    },
  );
}

jobTest("--resend never gives up the jobs of its own run", {}, async (world) => {
  let polls = 0;
  world.provider.before = (call) => {
    if (call === "get" && polls++ < 4) throw new HttpError("no such batch", { status: 404 });
  };
  await world.run(records(20), { resend: true });
  assertPaidOnce(world, 20);
  assert.equal(world.provider.jobs.size, 1);
});

jobTest("--resend does not give up a job because of one 404", {}, async (world) => {
  await world.run(records(20), { wait: false });
  let polls = 0;
  world.provider.before = (call) => {
    if (call === "get" && polls++ === 0) throw new HttpError("no such batch", { status: 404 });
  };
  await world.run(records(20), { resend: true });
  assertPaidOnce(world, 20);
});

jobTest(
  "--resend looks for a create of its own run before it sends it again",
  {},
  async (world) => {
    world.provider.listLag = 40;
    let creates = 0;
    world.provider.after = (call) => {
      if (call === "create" && creates++ === 0) throw new HttpError("bad gateway", { status: 502 });
    };
    await world.run(records(20), { resend: true });
    assertPaidOnce(world, 20);
  },
);

for (
  const [what, error] of [
    ["429", new HttpError("slow down", { status: 429, retryable: true })],
    ["502", new HttpError("bad gateway", { status: 502, retryable: true })],
  ] as const
) {
  jobTest(`another key and a ${what} do not prove that a job is lost`, {}, async (world) => {
    await world.run(records(20), { wait: false });
    let polls = 0;
    world.provider.before = (call) => {
      if (call === "get" && polls++ === 0) throw error;
    };
    const clientFields = { keyFingerprint: "ffff0000" };
    await world.run(records(20), { clientFields, resend: true });
    assertPaidOnce(world, 20);
    assert.equal(world.provider.jobs.size, 1);
  });
}

jobTest("a key without access ends the run, and --resend sends again", {}, async (world) => {
  await world.run(records(20), { wait: false });
  world.provider.before = (call) => {
    if (call === "get" && world.provider.jobs.size === 1) {
      throw new AuthenticationError("invalid key", { status: 401 });
    }
  };
  const clientFields = { keyFingerprint: "ffff0000" };
  await assert.rejects(world.run(records(20), { clientFields }), /a different API key/);
  await world.run(records(20), { clientFields, resend: true });
  assert.equal(world.single, 20);
});

jobTest("records that no job runs are not sent for ever", {}, async (world) => {
  world.provider.fate = (index) => index === 3 ? "expired" : "answer";
  await world.run(records(20));
  assert.equal(world.provider.jobs.size, 5);
  const last = world.last(3);
  assert.ok(last !== undefined && !last.ok);
  assert.match(String(last.error), /5 jobs in a row did not run this record \(expired\)/);
});

jobTest("a download without end is broken off", {}, async (world) => {
  const { results } = world.provider.api();
  let read = 0;
  const clientFields = apiWith(world, {
    async *results(http, job, parse): AsyncGenerator<RowResult> {
      const rows = await Array.fromAsync(results(http, job, parse));
      while (read++ < 1e5) yield rows[0];
      throw new Error("read on");
    },
  });
  await assert.rejects(world.run(records(20), { clientFields }), /more results than it has rows/);
  assert.equal(world.provider.jobs.size, 1);
});

const nothing: Partial<FakeProviderOptions> = { foundBy: "nothing" };

for (const hours of [-3, 3]) {
  jobTest(`a job is found although our clock is ${-hours} hours off`, nothing, async (world) => {
    world.provider.clockOffset = hours * HOUR;
    // Known after the first answer, which is none for a create whose connection is cut.
    let clockOffset: number | undefined;
    world.provider.after = (call, n) => {
      if (call === "create" && n === 1) throw new HttpError("bad gateway", { status: 502 });
      clockOffset = hours * HOUR;
    };
    const http = {
      ...noHttp,
      get clockOffset() {
        return clockOffset;
      },
    };
    await world.run(records(20), { clientFields: { http } });
    assertPaidOnce(world, 20);
  });
}

jobTest(
  "a job is found although our clock was set back since its create",
  nothing,
  async (world) => {
    world.slept = 3 * HOUR;
    world.provider.clockOffset = -3 * HOUR;
    world.provider.after = (call) => {
      if (call === "create") throw new HttpError("bad gateway", { status: 502 });
    };
    await world.run(records(20), {
      onStart: (executor) => {
        world.provider.before = (call) => {
          if (call !== "find") return;
          executor.abort();
          throw new Error("killed");
        };
      },
    });
    assert.equal(world.outcomes.size, 0);
    world.provider.before = world.provider.after = () => {};
    world.slept = world.provider.clockOffset = 0;
    await world.run(records(20));
    assertPaidOnce(world, 20);
  },
);

jobTest("a clock that is set ahead does not end the search for a job", {}, async (world) => {
  const { find } = world.provider.api();
  const clientFields = apiWith(world, {
    find: (...input) => world.clock.now() < 40_000 ? Promise.resolve([]) : find(...input),
  });
  world.provider.after = (call, n) => {
    if (call !== "create" || n > 1) return;
    // The computer notices what time it is.
    void world.clock.sleep(10_000).then(() => world.slept = 2 * HOUR);
    throw new HttpError("bad gateway", { status: 502 });
  };
  await world.run(records(20), { clientFields });
  assertPaidOnce(world, 20);
});

jobTest("a Retry-After of years is cut", {}, async (world) => {
  let polls = 0;
  world.provider.before = (call) => {
    if (call === "get" && polls++ === 0) {
      throw new HttpError("slow down", { status: 429, retryable: true, retryAfter: 1e9 });
    }
  };
  await world.run(records(20));
  assertPaidOnce(world, 20);
  assert.ok(world.clock.now() < 2 * HOUR);
});

/** Lets the first create have no answer. */
function hideFirstCreate(world: JobWorld): void {
  let creates = 0;
  world.provider.after = (call) => {
    if (call === "create" && creates++ === 0) throw new HttpError("bad gateway", { status: 502 });
  };
}

for (
  const [foundBy, fields, message] of [
    ["label", {}, /--adopt job_1: this job was submitted for other records/],
    ["file", { inputFile: "file_9" }, /has the input file file_9, but file_1 was submitted/],
    ["nothing", { model: "other" }, /has the model other, but m was requested/],
    ["nothing", { rows: ["a", "b"] }, /has 2 rows, but 20 were submitted/],
  ] as const
) {
  jobTest(`--adopt refuses another job (${foundBy}, ${message})`, { foundBy }, async (world) => {
    const rows = records(20).map(({ index }) => `other_${index}_00000000`);
    world.provider.addForeign(rows, {
      ...fields,
      rows: [...("rows" in fields ? fields.rows : rows)],
    });
    hideFirstCreate(world);
    const { before } = world.provider;
    world.provider.before = (call) => {
      if (call === "find") throw new HttpError("not found", { status: 404 });
    };
    await assert.rejects(world.run(records(20)), /not found/);
    world.provider.before = before;
    await assert.rejects(world.run(records(20), { adopt: "job_1" }), message);
    world.provider.jobs.delete("job_1");
    await world.run(records(20), { adopt: "job_2" });
    assertPaidOnce(world, 20);
  });
}

jobTest("of two jobs of one part, the one with answers is kept", {}, async (world) => {
  const cancelled: string[] = [];
  const { find, cancel } = world.provider.api();
  const clientFields = apiWith(world, {
    async find(...input): Promise<Job[]> {
      const [job] = await find(...input);
      return job === undefined ? [] : [{ ...job, id: "job_0", status: "validating" }, job];
    },
    cancel: (http, id) =>
      id === "job_0" ? Promise.resolve(void cancelled.push(id)) : cancel!(http, id),
  });
  hideFirstCreate(world);
  world.provider.runs = 1;
  world.provider.validates = 0;
  await world.run(records(20), { clientFields });
  assertPaidOnce(world, 20);
  assert.deepEqual(cancelled, ["job_0"]);
});

for (const succeeded of [0, 20]) {
  const ends = succeeded === 0 ? "is given up after a few" : "is not sent again";
  jobTest(`a job that runs and then fails ${ends} (${succeeded} answers)`, {}, async (world) => {
    const { get } = world.provider.api();
    world.provider.results = () => [];
    const clientFields = apiWith(world, {
      async get(http, id): Promise<Job> {
        const job = await get(http, id);
        if (job.status !== "completed") return job;
        const problems = [{ message: "out of luck" }];
        return { ...job, status: "failed", problems, counts: { succeeded, failed: 0 } };
      },
    });
    const message = succeeded === 0 ? /rejected the batch: out of luck/ : /returned no results/;
    await assert.rejects(world.run(records(20), { clientFields }), message);
    assert.equal(world.provider.jobs.size, succeeded === 0 ? 2 : 1);
  });
}

jobTest("jobs of another model are collected, and said to be", {}, async (world) => {
  await world.run(records(20), { clientFields: { model: "m" }, wait: false });
  await world.run(records(20), { clientFields: { model: "n" } });
  assertPaidOnce(world, 20);
  assert.match(
    world.notes.join("\n"),
    /submitted with m, .* For answers of n only, choose another/,
  );
});
