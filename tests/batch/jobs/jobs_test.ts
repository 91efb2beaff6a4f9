/** Runs of provider jobs from start to end, against a provider in memory. */
import assert from "node:assert/strict";
import { ConnectionError, HttpError, RateLimitError } from "../../../lib/errors.ts";
import { requestCancel } from "../../../lib/batch/jobs/open_part_store.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { JobWorld, records } from "../../support/job_world.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";

type Options = ConstructorParameters<typeof JobWorld>[1];

/** Runs a test with a world of its own. */
function jobTest(
  name: string,
  options: Partial<Options>,
  body: (world: JobWorld) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using folder = memoryFolder();
    await body(new JobWorld(folder.file("out.jsonl"), { foundBy: "label", ...options }));
  });
}

/** The rows of each job that was created. */
function jobSizes({ provider }: JobWorld): number[] {
  return [...provider.jobs.values()].map(({ rows }) => rows.length);
}

/** Asserts that each record has one outcome, which is a success unless its index is in `failed`. */
function assertComplete(world: JobWorld, total: number, failed: readonly number[] = []): void {
  assert.equal(world.outcomes.size, total);
  assert.equal(world.single, total);
  for (let i = 0; i < total; i++) {
    assert.equal(world.last(i)!.ok, !failed.includes(i), `record ${i}`);
  }
}

for (const foundBy of ["file", "label", "id", "nothing"] as const) {
  for (const fills of [false, true]) {
    if (fills && foundBy === "file") continue;
    jobTest(
      `answers match their records (${foundBy}, fills: ${fills})`,
      { foundBy, fills },
      async (world) => {
        const executor = await world.run(records(250));
        assertComplete(world, 250);
        for (const [index, [outcome]] of world.outcomes) {
          assert.ok(outcome.ok && outcome.isCollected);
          assert.equal(outcome.result.content, `answer ${index}`);
        }
        assert.deepEqual(jobSizes(world), [100, 150]);
        assert.deepEqual(world.billedTwice, []);
        assert.equal(executor.submittedRows, 0);
        assert.deepEqual(executor.views().map(({ state }) => state), ["collected", "collected"]);
      },
    );
  }
}

jobTest("a single small part needs no canary, and a proven model neither", {}, async (world) => {
  await world.run(records(100));
  assert.deepEqual(jobSizes(world), [100]);
  await world.run(records(400));
  assert.deepEqual(jobSizes(world), [100, 300]);
  assertComplete(world, 400);
});

jobTest("the canary is validated before more is submitted", {}, async (world) => {
  const created: number[] = [];
  world.provider.before = (call) => {
    if (call === "create") created.push(world.clock.now());
  };
  await world.run(records(300), { limits: { rows: 50 } });
  assert.equal(created.length, 6);
  // The first poll that no longer says "validating" is at 15 s + 22.5 s.
  assert.ok(created[1] >= 20_000 && created[5] < 60_000, String(created));
});

jobTest(
  "limits of rows, bytes, jobs and queued tokens hold",
  { limits: { rows: 60 } },
  async (world) => {
    await world.run(records(120));
    assert.deepEqual(jobSizes(world), [60, 60]);
    await world.run(records(120, 120), { limits: { bytes: 2000 } });
    assert.ok(jobSizes(world).slice(2).every((rows) => rows > 5 && rows < 30));
    let most = 0;
    await world.run(records(200, 240), {
      limits: { rows: 20, jobs: 2 },
      onOutcomes: (_group, executor) => {
        most = Math.max(most, executor.views().filter(({ state }) => /val|run/.test(state)).length);
      },
    });
    assert.ok(most <= 2);
    const before = world.provider.jobs.size;
    await world.run(records(40, 440), { limits: { queuedTokens: 100 } });
    assert.deepEqual(jobSizes(world).slice(before), [8, 8, 8, 8, 8]);
  },
);

jobTest(
  "a job has at most 10,000 rows, unless the user wants more",
  { limits: { rows: 50_000, bytes: 1e9 } },
  async (world) => {
    await world.run(records(10_200));
    assert.deepEqual(jobSizes(world), [100, 10_000, 100]);
    await world.run(records(20_400), { limits: { rows: 20_000 } });
    assert.deepEqual(jobSizes(world).slice(3), [10_200]);
  },
);

jobTest("records are not pulled while nothing can be submitted", {}, async (world) => {
  let pulled = 0;
  function* counted() {
    for (const record of records(1000)) {
      pulled++;
      yield record;
    }
  }
  let atFirst = 0;
  world.provider.after = (call) => {
    if (call === "create") atFirst ||= pulled;
  };
  await world.run(counted(), { limits: { rows: 200, jobs: 1 } });
  assert.ok(atFirst <= 132, `${atFirst} records pulled before the canary was sent`);
  assertComplete(world, 1000);
});

jobTest("cached and invalid records need no job, and a row can be too large", {}, async (world) => {
  const client = world.client();
  await world.run(records(4), {
    clientFields: {
      prepare: (record) => {
        if (record.index === 0) return Promise.reject(new HttpError("bad", { status: 400 }));
        if (record.index !== 1) return client.prepare(record);
        return Promise.resolve({
          request: { body: `"${"x".repeat(2e6)}"`, model: "m", path: "/x" },
          promptTokens: 1,
          maxCost: 0,
        });
      },
    },
  });
  assertComplete(world, 4, [0, 1]);
  const large = world.last(1)!;
  assert.match(!large.ok ? String(large.error) : "", /2\.0 MB.*950\.0 kB/);
  assert.deepEqual(jobSizes(world), [2]);
});

jobTest("rows of several models and paths go into different jobs", {}, async (world) => {
  const client = world.client();
  await world.run(records(30), {
    clientFields: {
      prepare: async (record) => {
        const row = await client.prepare(record);
        assert.ok("request" in row);
        return { ...row, request: { ...row.request, model: `m${record.index % 3}` } };
      },
    },
  });
  assertComplete(world, 30);
  assert.deepEqual(jobSizes(world), [10, 10, 10]);
});

jobTest("rows that expired, were not run or are missing are sent again", {}, async (world) => {
  world.provider.fate = (index, _times, { id }) => {
    const isFirst = id === "job_1";
    if (isFirst && index < 10) return "expired";
    if (isFirst && index === 20) return "missing";
    return "answer";
  };
  await world.run(records(50));
  assertComplete(world, 50);
  assert.deepEqual(jobSizes(world), [50, 11]);
  assert.deepEqual(world.billedTwice, []);
  assert.match(
    world.notes.join("\n"),
    /job_1 has no answer for 11 records: 11 not run \(expired\)|10 not run/,
  );
});

jobTest("a row that never has a result fails after three jobs", {}, async (world) => {
  world.provider.fate = (index) => index === 3 ? "missing" : "answer";
  await world.run(records(10));
  assertComplete(world, 10, [3]);
  assert.deepEqual(jobSizes(world), [10, 1, 1]);
});

jobTest("temporary errors are sent again, others fail at once", {}, async (world) => {
  world.provider.fate = (index, _times, { id }) => {
    if (index === 1 && id !== "job_3") return { error: 500 };
    if (index === 2) return { error: 400 };
    return index === 3 ? { error: 429 } : "answer";
  };
  const executor = await world.run(records(10), { retryTimes: 2 });
  assertComplete(world, 10, [2, 3]);
  assert.deepEqual(jobSizes(world), [10, 2, 2]);
  assert.equal(executor.retries, 4);
});

jobTest("a job in which everything failed says what most rows say", {}, async (world) => {
  world.provider.fate = () => ({ error: 400 });
  await world.run(records(12));
  assert.match(world.notes.join("\n"), /All 12 records of job job_1 failed.*the row failed/);
});

jobTest(
  "foreign, duplicate and wrong results are ignored in any position",
  {},
  async (world) => {
    world.provider.results = (rows, { id }) => {
      if (id !== "job_1") return rows;
      const wrong = rows[0].id.replace(/_[0-9a-f]{8}$/, "_00000000");
      return [
        { id: "somebody-else", kind: "answer", body: "foreign" },
        { id: "zzzzzzzzzz_1_00000000", kind: "answer", body: "foreign" },
        { ...rows[0], id: wrong },
        ...rows.slice(1),
        { ...rows[1], kind: "answer", body: "second" },
      ];
    };
    await world.run(records(10));
    assertComplete(world, 10);
    for (const [index, [outcome]] of world.outcomes) {
      assert.ok(outcome.ok && outcome.result.content === `answer ${index}`);
    }
    const notes = world.notes.join("\n");
    assert.match(notes, /3 results of job job_1 have unknown ids/);
    assert.match(notes, /two results for 1 record/);
  },
);

jobTest(
  "a download that breaks off is read again, without repeating outcomes",
  {},
  async (world) => {
    world.provider.cutAfter = 70;
    await world.run(records(100));
    assertComplete(world, 100);
    assert.equal(world.provider.count("results"), 2);
  },
);

jobTest("one refused line fails, and the others are sent again", {}, async (world) => {
  world.provider.validate = (rows) => {
    const line = rows.findIndex((id) => id.split("_")[1] === "30") + 1;
    return line === 0 ? undefined : [{ code: "invalid_request", message: "bad tool", line }];
  };
  await world.run(records(150));
  assertComplete(world, 150, [30]);
  assert.deepEqual(jobSizes(world), [100, 100, 49]);
  assert.match(world.notes.join("\n"), /rejected a job because of record 30: .*bad tool/);
});

jobTest(
  "a create that names its bad row is treated in the same way",
  { foundBy: "nothing" },
  async (world) => {
    world.provider.before = (call, n) => {
      if (call !== "create" || n > 1) return;
      throw new HttpError("bad", {
        status: 400,
        providerMessage: "requests.4.params: no such option",
      });
    };
    await world.run(records(10));
    assertComplete(world, 10, [4]);
    assert.deepEqual(jobSizes(world), [9]);
  },
);

jobTest("a job that is refused as a whole ends the run", {}, async (world) => {
  world.provider.validate = () => [{ code: "model_not_found", message: "no batches with m" }];
  await assert.rejects(
    world.run(records(300)),
    /rejected the batch: no batches with m \(model_not_found\)/,
  );
  assert.ok(jobSizes(world).every((rows) => rows === 100));
  assert.equal(world.outcomes.size, 0);
});

jobTest("token_limit_exceeded waits, and halves a part that is alone", {}, async (world) => {
  world.provider.validate = (rows) =>
    rows.length > 30
      ? [{ code: "token_limit_exceeded", message: "Enqueued token limit" }]
      : undefined;
  await world.run(records(100));
  assertComplete(world, 100);
  assert.ok(jobSizes(world).includes(25), String(jobSizes(world)));
  assert.match(world.notes.join("\n"), /queue is full/);
});

jobTest("a create that is refused for quota waits for the end of a job", {}, async (world) => {
  world.provider.before = (call) => {
    if (call !== "create") return;
    const live = [...world.provider.jobs.values()].filter(({ results }) => results === undefined);
    if (live.length < 2) return;
    throw new RateLimitError("limit", { status: 429, providerMessage: "too many batches" });
  };
  const states = new Set<string>();
  let executor: Awaited<ReturnType<typeof world.run>> | undefined;
  await world.run(records(300), {
    limits: { rows: 50 },
    onStart: (started) => executor = started,
    onChange: () => executor?.views().forEach(({ state }) => states.add(state)),
  });
  assertComplete(world, 300);
  assert.ok(states.has("waiting for quota"), String([...states]));
});

jobTest("rate limits and refused connections of a create are repeated", {}, async (world) => {
  let failures = 3;
  world.provider.before = (call) => {
    if (call === "create" && failures-- > 0) {
      throw new RateLimitError("slow down", { status: 429, retryAfter: 7 });
    }
  };
  await world.run(records(5));
  assertComplete(world, 5);
  assert.equal(world.provider.jobs.size, 1);
});

jobTest("polls that fail never end the run before the job expires", {}, async (world) => {
  let polls = 0;
  world.provider.before = (call) => {
    if (call === "get" && ++polls < 60) throw new HttpError("bad gateway", { status: 502 });
  };
  await world.run(records(5));
  assertComplete(world, 5);
  assert.ok(polls >= 60);
});

jobTest(
  "an expired job that cannot be polled ends the run, and stays submitted",
  {},
  async (world) => {
    world.provider.expires = 600_000;
    world.provider.before = (call) => {
      if (call === "get") throw new HttpError("bad gateway", { status: 502 });
    };
    await assert.rejects(world.run(records(5)), /job job_1 at .* cannot be read: bad gateway/);
    assert.ok(world.clock.now() > 3_600_000 + 600_000);
    world.provider.before = () => {};
    await world.run(records(5));
    assertComplete(world, 5);
    assert.equal(world.provider.jobs.size, 1);
  },
);

jobTest("404 on a known job is not loss: it is read again, then reported", {}, async (world) => {
  let isHidden = true;
  world.provider.before = (call) => {
    if (call === "get" && isHidden) throw new HttpError("no such batch", { status: 404 });
  };
  world.provider.listLag = Infinity;
  await assert.rejects(world.run(records(5)), /does not know job job_1 \(5 records\)/);
  assert.ok(world.clock.now() >= 600_000);
  isHidden = false;
  await world.run(records(5));
  assertComplete(world, 5);
  assert.equal(world.provider.jobs.size, 1);
});

jobTest("--resend sends the rows of a lost job again", {}, async (world) => {
  await world.run(records(5), { wait: false });
  world.provider.jobs.clear();
  const tracker = new CostTracker({ limit: 10 });
  world.maxCost = 0.5;
  await world.run(records(5), { resend: true, tracker });
  assertComplete(world, 5);
});

jobTest("another key is refused, naming both, and nothing is sent again", {}, async (world) => {
  await world.run(records(5), { wait: false });
  const clientFields = { keyFingerprint: "ffff0000" };
  const { before } = world.provider;
  world.provider.before = () => {
    throw new HttpError("no such batch", { status: 404 });
  };
  await assert.rejects(
    world.run(records(5), { clientFields }),
    /job job_1 was submitted with a different API key \(fingerprint 0123abcd; .* ffff0000\)/,
  );
  world.provider.before = before;
  assert.equal(world.provider.jobs.size, 1);
  // A new key of the same project can read the job.
  await world.run(records(5), { clientFields });
  assertComplete(world, 5);
  assert.equal(world.provider.jobs.size, 1);
});

jobTest("another key cannot settle an unclear create", {}, async (world) => {
  world.provider.after = async (call) => {
    if (call === "create") await new Promise(() => {});
  };
  await world.run(records(5), {
    onStart: (executor) => void world.clock.sleep(1000).then(() => executor.abort()),
  });
  const clientFields = { keyFingerprint: "ffff0000" };
  await assert.rejects(world.run(records(5), { clientFields }), /with a different API key/);
});

jobTest("a part that was never sent is planned again, with the new options", {}, async (world) => {
  world.provider.before = (call) => {
    if (call === "create") throw new HttpError("no such model", { status: 404 });
  };
  await assert.rejects(world.run(records(5)), /no such model/);
  world.provider.before = () => {};
  const client = world.client();
  await world.run(records(5), {
    clientFields: {
      prepare: async (record) => {
        const row = await client.prepare(record);
        assert.ok("request" in row);
        return { ...row, request: { ...row.request, model: "m2" } };
      },
    },
  });
  assertComplete(world, 5);
  assert.deepEqual([...world.provider.jobs.values()].map(({ model }) => model), ["m2"]);
});

jobTest("a server that is down ends the run after a while", {}, async (world) => {
  world.provider.before = (call) => {
    if (call === "create") throw new ConnectionError("refused", { sent: false });
  };
  await assert.rejects(world.run(records(5)), /refused/);
  assert.ok(world.clock.now() > 300_000 && world.clock.now() < 1_500_000);
});

jobTest(
  "without waiting, everything is submitted and the next run collects it",
  {},
  async (world) => {
    const executor = await world.run(records(300), { wait: false, limits: { rows: 120 } });
    assert.deepEqual(jobSizes(world), [100, 120, 80]);
    assert.equal(executor.submittedRows, 300);
    assert.ok(world.clock.now() < 60_000);
    assert.equal(world.outcomes.size, 0);
    world.clock.sleep(0);
    const second = await world.run(records(300), { wait: false });
    assert.equal(second.submittedRows, 300);
    await world.run(records(300));
    assertComplete(world, 300);
    assert.equal(world.provider.jobs.size, 3);
  },
);

jobTest(
  "without waiting, a run with nothing left to submit does not wait for a check",
  {},
  async (world) => {
    await world.run(records(80), { wait: false });
    const before = world.clock.now();
    await world.run(records(80), { wait: false });
    assert.equal(world.clock.now() - before, 0);
    assert.deepEqual(jobSizes(world), [80]);
  },
);

jobTest("without waiting, full limits leave the rest to the next run", {}, async (world) => {
  await world.run(records(300), { wait: false, limits: { jobs: 1 } });
  assert.deepEqual(jobSizes(world), [100]);
  await world.run(records(300));
  assertComplete(world, 300);
  assert.deepEqual(world.billedTwice, []);
});

jobTest("stop() returns soon, and the next run continues", {}, async (world) => {
  await world.run(records(300), {
    onStart: (executor) => void world.clock.sleep(60_000).then(() => executor.stop()),
  });
  assert.ok(world.clock.now() < 61_000);
  assert.deepEqual(jobSizes(world), [100, 200]);
  await world.run(records(300));
  assertComplete(world, 300);
  assert.equal(world.provider.jobs.size, 2);
});

jobTest("stop() waits for the answer of a create in flight", {}, async (world) => {
  await world.run(records(5), {
    onStart: (executor) => {
      world.provider.after = async (call) => {
        if (call !== "create") return;
        executor.stop();
        await world.clock.sleep(3000);
      };
    },
  });
  world.provider.after = () => {};
  using store = await world.openStore();
  assert.equal(store.parts[0].phase, "submitted");
});

jobTest(
  "a create that hangs is abandoned after a few seconds, and looked for",
  {},
  async (world) => {
    await world.run(records(5), {
      onStart: (executor) => {
        world.provider.after = async (call) => {
          if (call !== "create") return;
          executor.stop();
          await new Promise(() => {});
        };
      },
    });
    assert.ok(world.clock.now() <= 6000);
    world.provider.after = () => {};
    await world.run(records(5));
    assertComplete(world, 5);
    assert.equal(world.provider.jobs.size, 1);
  },
);

jobTest("a deadline cancels, collects, and leaves the rest", {}, async (world) => {
  world.provider.runs = 40_000;
  const executor = await world.run(records(300), { deadline: 3600 });
  assert.ok(executor.deadlineReached && !executor.cancelled);
  assert.equal(world.outcomes.size, 150);
  assert.equal(executor.submittedRows, 0);
  assert.ok(world.clock.now() < 3_800_000);
  assert.equal(world.provider.jobs.size, 2);
  world.provider.runs = 60;
  await world.run(records(300));
  assertComplete(world, 300);
  assert.deepEqual(world.billedTwice, []);
});

jobTest("a requested cancellation cancels within seconds, and collects", {}, async (world) => {
  world.provider.runs = 40_000;
  const executor = await world.run(records(50), {
    onStart: () => void world.clock.sleep(30_000).then(() => requestCancel(world.output)),
  });
  assert.ok(executor.cancelled);
  assert.equal(world.outcomes.size, 25);
  assert.ok(world.clock.now() < 120_000, String(world.clock.now()));
});

jobTest("a sleep of the computer polls at once", {}, async (world) => {
  world.provider.runs = 7200;
  const polls: number[] = [];
  world.provider.before = (call) => {
    if (call === "get") polls.push(world.clock.now());
  };
  await world.run(records(5), {
    onStart: () => void world.clock.sleep(2_000_000).then(() => world.slept = 7_200_000),
  });
  assertComplete(world, 5);
  assert.ok(polls.at(-1)! < 2_002_000);
});

jobTest("an unclear create is looked for, and its job is used", {}, async (world) => {
  world.provider.listLag = 40;
  world.provider.after = (call, n) => {
    if (call === "create" && n === 1) throw new HttpError("bad gateway", { status: 502 });
  };
  await world.run(records(5));
  assertComplete(world, 5);
  assert.equal(world.provider.jobs.size, 1);
  assert.match(world.notes[0], /^Found the job .*: job_1 \(5 records\)/);
});

jobTest(
  "a create that made nothing is sent again after a minute, three times in all",
  {},
  async (world) => {
    const creates: number[] = [];
    world.provider.before = (call) => {
      if (call !== "create") return;
      creates.push(world.clock.now());
      throw new TypeError("connection reset");
    };
    await assert.rejects(world.run(records(5)), /3 submissions .* had no answer/);
    assert.equal(creates.length, 3);
    assert.ok(creates[1] - creates[0] >= 60_000);
    world.provider.before = () => {};
    await world.run(records(5));
    assertComplete(world, 5);
  },
);

const nothing = { foundBy: "nothing" } as const;

jobTest(
  "without labels, the only candidate is used if its results prove it",
  nothing,
  async (world) => {
    world.provider.after = (call, n) => {
      if (call === "create" && n === 1) throw new HttpError("bad gateway", { status: 502 });
    };
    await world.run(records(5));
    assertComplete(world, 5);
    assert.equal(world.provider.jobs.size, 1);
  },
);

jobTest("without labels, a job of somebody else is given back", nothing, async (world) => {
  world.provider.before = (call, n) => {
    if (call !== "create" || n > 1) return;
    world.provider.addForeign(Array.from({ length: 5 }, (_, i) => `other_${i}_00000000`));
    throw new HttpError("bad gateway", { status: 502 });
  };
  await world.run(records(5));
  assertComplete(world, 5);
  assert.match(world.notes.join("\n"), /job_1 has the results of other records/);
});

jobTest("without labels, several candidates need the user", nothing, async (world) => {
  world.provider.after = (call, n) => {
    if (call !== "create" || n > 1) return;
    world.provider.addForeign(Array.from({ length: 5 }, (_, i) => `other_${i}_00000000`));
    throw new HttpError("bad gateway", { status: 502 });
  };
  await assert.rejects(
    world.run(records(5)),
    /several jobs may be the one it created: job_1 .* job_2/,
  );
  assert.equal(world.provider.jobs.size, 2);
  await assert.rejects(
    world.run(records(5), { adopt: "job_9" }),
    /--adopt job_9: .* does not know/,
  );
  await world.run(records(5), { adopt: "job_1" });
  assertComplete(world, 5);
  assert.equal(world.provider.jobs.size, 2);
});

jobTest("--resend ends the search, and the money counts as spent", nothing, async (world) => {
  world.maxCost = 0.5;
  world.provider.after = (call, n) => {
    if (call !== "create" || n > 1) return;
    world.provider.addForeign(Array.from({ length: 5 }, (_, i) => `other_${i}_00000000`));
    throw new HttpError("bad gateway", { status: 502 });
  };
  await assert.rejects(world.run(records(5), { tracker: new CostTracker({ limit: 10 }) }));
  const tracker = new CostTracker({ limit: 10 });
  await world.run(records(5), { resend: true, tracker });
  assert.equal(world.outcomes.size, 5);
  assert.equal(tracker.spent, 2.5 + 5 * 0.25);
});

jobTest("--adopt without an unclear create is an error", {}, async (world) => {
  await assert.rejects(world.run(records(5), { adopt: "job_1" }), /no submission is unclear/);
});

jobTest("a budget splits parts, waits for their cost, and stops at its end", {}, async (world) => {
  world.maxCost = 1;
  const tracker = new CostTracker({ limit: 20 });
  let most = 0;
  world.provider.after = () => void (most = Math.max(most, tracker.reserved + tracker.spent));
  await world.run(records(100), { tracker });
  // Each answer costs 0.25 of the reserved 1.
  const ok = [...world.outcomes.values()].filter(([{ ok }]) => ok).length;
  assert.equal(tracker.spent, ok * 0.25);
  assert.ok(ok >= 76 && ok <= 80, `${ok} answers`);
  assert.ok(most <= 20);
  const errors = [...world.outcomes.values()].flat().filter((outcome) => !outcome.ok);
  assert.equal(errors.length, 1);
  assert.match(String(!errors[0].ok && errors[0].error), /budget/);
});

jobTest(
  "a record that changed after submission is an error, or is kept for later",
  {},
  async (world) => {
    await world.run(records(5), { wait: false });
    const changed = records(5);
    changed[3].messages = [{ role: "user", content: "Something else" }];
    await assert.rejects(
      world.run(changed),
      /record 3 has changed since it was submitted in job job_1/,
    );
    await world.run(changed, { rerunChanged: true });
    assertComplete(world, 5);
    assert.match(world.notes.at(-1)!, /1 record changed after submission/);
    assert.equal(world.provider.jobs.size, 1);
  },
);

jobTest("the provider's files are deleted after collection", {}, async (world) => {
  await world.run(records(150), { clean: true });
  assert.deepEqual(world.provider.cleaned.toSorted(), ["job_1", "job_2"]);
  using store = await world.openStore();
  assert.deepEqual(store.parts.map(({ phase }) => phase), ["cleaned", "cleaned"]);
});

jobTest("files that an earlier run has left are deleted as well", {}, async (world) => {
  await world.run(records(5));
  await world.run(records(6), { clean: true });
  assert.deepEqual(world.provider.cleaned, ["job_1", "job_2"]);
});

jobTest("results that are deleted soon are announced", {}, async (world) => {
  const api = world.provider.api();
  await world.run(records(5), {
    clientFields: {
      api: {
        ...api,
        get: async (http, id) => ({
          ...await api.get(http, id),
          resultsExpireAt: world.now() + 10_000,
        }),
      },
    },
  });
  assert.match(world.notes.join("\n"), /deletes the results of job job_1 on 2026-11-27/);
});

jobTest(
  "an error of the input ends the run, and submitted rows are collected later",
  {},
  async (world) => {
    function* broken() {
      yield* records(120);
      throw new Error("line 121 is broken");
    }
    await assert.rejects(world.run(broken()), /line 121/);
    await world.run(records(130));
    assertComplete(world, 130);
    assert.deepEqual(world.billedTwice, []);
  },
);

jobTest("the poll interval also holds for jobs of an earlier run", {}, async (world) => {
  await world.run(records(5), { wait: false });
  const polls: number[] = [];
  world.provider.before = (call) => {
    if (call === "get") polls.push(world.clock.now());
  };
  await world.run(records(5), { pollInterval: 2 });
  assertComplete(world, 5);
  assert.equal(polls[1] - polls[0], 2000);
});
