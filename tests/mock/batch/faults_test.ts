/** The faults of the mock's batch APIs. */
import assert from "node:assert/strict";
import { ConfigurationError, startMockServer } from "../../../mod.ts";
import { hits, parseBatchFault } from "../../../lib/mock/batch/fault_kinds.ts";
import { type BatchClient, inputLines, prompts, withBatchMock } from "../../support/batch_mock.ts";

Deno.test("the notation of faults: kind, value, and which jobs or requests", () => {
  const parse = (text: string) => {
    const { kind, value, from, to, every } = parseBatchFault(text);
    return [kind, value, from, to, every];
  };
  assert.deepEqual(parse("stuck"), ["stuck", 0, 1, Infinity, 1]);
  assert.deepEqual(parse("expire=30%@1"), ["expire", 0.3, 1, 1, 1]);
  assert.deepEqual(parse("hidden=500ms@2-4"), ["hidden", 0.5, 2, 4, 1]);
  assert.deepEqual(parse("poll_502@every3"), ["poll_502", 1, 1, Infinity, 3]);
  const hit = (text: string) =>
    [1, 2, 3, 4, 5, 6].filter((n) => hits(parseBatchFault(text), n)).join("");
  assert.deepEqual(
    ["stuck", "stuck@2", "stuck@2-4", "stuck@every3"].map(hit),
    ["123456", "12", "234", "36"],
  );
});

Deno.test("a wrong fault says what was expected", () => {
  for (
    const [text, message] of [
      ["expir=30%", /unknown kind; did you mean "expire"\?/],
      ["quux", /expected one of invalid_line, token_limit/],
      ["expire=30", /expected a share of the rows such as 30%, got "30"/],
      ["stuck=101%", /expected a share/],
      ["all_errors=200", /expected an HTTP status from 400 to 599/],
      ["missing_rows=0", /expected an integer ≥ 1/],
      ["token_limit=5", /this kind takes no value/],
      ["stuck@4-2", /expected @3, @2-4 or @every5, got "@4-2"/],
      ["stuck@0", /expected @3/],
      ["", /expected one of/],
    ] as const
  ) {
    assert.throws(
      () => parseBatchFault(text),
      (error) => error instanceof ConfigurationError && message.test(error.message),
      text,
    );
  }
});

/** Runs a batch of ten rows with faults, and returns it with the ids in its files. */
async function run(client: BatchClient) {
  const { id } = await client.batch(prompts(10));
  const batch = await client.json("GET", `/batches/${id}`);
  const lines = async (file: string | null) => file ? await client.content(file) : [];
  const output = await lines(batch.output_file_id);
  const errors = await lines(batch.error_file_id);
  return { batch, output, errors };
}

const CASES: Partial<Record<string, (result: Awaited<ReturnType<typeof run>>) => void>> = {
  "invalid_line=4": ({ batch }) => {
    assert.deepEqual([batch.status, batch.output_file_id], ["failed", null]);
    assert.deepEqual(batch.request_counts, { total: 0, completed: 0, failed: 0 });
    assert.deepEqual(
      batch.errors.data.map(({ code, line }: { code: string; line: number }) => ({
        code,
        line,
      })),
      [{ code: "invalid_json_line", line: 4 }],
    );
  },
  "token_limit": ({ batch }) => assert.equal(batch.errors.data[0].code, "token_limit_exceeded"),
  "all_errors=429": ({ batch, output, errors }) => {
    assert.deepEqual([batch.status, batch.output_file_id, output], ["completed", null, []]);
    assert.deepEqual(new Set(errors.map(({ response }) => response.status_code)), new Set([429]));
    assert.equal(errors.length, 10);
  },
  "row_errors=3": ({ output, errors }) => assert.deepEqual([output.length, errors.length], [7, 3]),
  "missing_rows=2": ({ batch, output, errors }) => {
    assert.equal(batch.request_counts.completed, 10);
    assert.deepEqual([output.length, errors.length], [8, 0]);
  },
  "double_rows=2": ({ output }) => {
    assert.equal(output.length, 12);
    assert.equal(new Set(output.map(({ custom_id }) => custom_id)).size, 10);
  },
  "swapped_rows=2": ({ output }) => {
    const wrong = output.filter(({ custom_id, response }) =>
      !response.body.choices[0].message.content.includes(`Question ${custom_id.slice(1)}"`)
    );
    assert.deepEqual([output.length, wrong.length], [10, 4]);
    assert.equal(new Set(output.map(({ custom_id }) => custom_id)).size, 10);
  },
  "blank_error_file": ({ batch }) => assert.equal(batch.error_file_id, ""),
  "empty_error_file": ({ batch, errors }) => {
    assert.match(batch.error_file_id, /^file-/);
    assert.deepEqual(errors, []);
  },
  "line_separators": ({ output }) => {
    assert.equal(output.length, 10);
    assert.match(output[0].response.body.choices[0].message.content, /\u2028second\u2029/);
  },
  "capital_status": ({ batch }) => assert.equal(batch.status, "Completed"),
};

for (const [fault, check] of Object.entries(CASES)) {
  Deno.test(`fault ${fault}`, () =>
    withBatchMock({ faults: [fault] }, async (client) => check!(await run(client))));
}

Deno.test("fault expire: done rows have answers and are billed, the rest expired", () =>
  withBatchMock({ duration: 100, faults: ["expire=30%"] }, async (client) => {
    const { id, expires_at, created_at } = await client.batch(prompts(10));
    assert.equal(expires_at - created_at, 100);
    await client.advance(200);
    const batch = await client.json("GET", `/batches/${id}`);
    assert.deepEqual([batch.status, batch.request_counts.completed], ["expired", 3]);
    assert.equal((await client.content(batch.output_file_id)).length, 3);
    const rest = await client.content(batch.error_file_id);
    assert.deepEqual(rest.map(({ error }) => error.code), Array(7).fill("batch_expired"));
    assert.equal((await client.ledger()).totals.billed, 3);
  }));

Deno.test("fault stuck: the job neither proceeds nor ends before its window does", () =>
  withBatchMock({ duration: 10, faults: ["stuck=20%"] }, async (client) => {
    const { id } = await client.batch(prompts(10));
    const state = async () => {
      const { status, request_counts } = await client.json("GET", `/batches/${id}`);
      return [status, request_counts.completed];
    };
    await client.advance(3600);
    assert.deepEqual(await state(), ["in_progress", 2]);
    await client.advance(86_400);
    assert.deepEqual(await state(), ["expired", 2]);
  }));

Deno.test("fault cancel_loses: a row that was counted is in no file", () =>
  withBatchMock({ duration: 100, faults: ["cancel_loses"] }, async (client) => {
    const { id } = await client.batch(prompts(10));
    await client.advance(50);
    const { request_counts } = await client.json("POST", `/batches/${id}/cancel`, {});
    await client.advance(50);
    const batch = await client.json("GET", `/batches/${id}`);
    assert.deepEqual([batch.status, request_counts.completed], ["cancelled", 5]);
    assert.equal((await client.content(batch.output_file_id)).length, 4);
    assert.equal((await client.content(batch.error_file_id)).length, 5);
  }));

Deno.test("fault counts_back: every second poll counts less", () =>
  withBatchMock({ duration: 100, faults: ["counts_back"] }, async (client) => {
    const { id } = await client.batch(prompts(10));
    await client.advance(60);
    const counts: number[] = [];
    for (let poll = 0; poll < 4; poll++) {
      counts.push((await client.json("GET", `/batches/${id}`)).request_counts.completed);
    }
    assert.ok(counts[1] < counts[0] && counts[3] < counts[2], String(counts));
  }));

Deno.test("faults hidden and unlisted: a new job is not found at first", () =>
  withBatchMock({ duration: 1000, faults: ["hidden=10s@1", "unlisted=20s@1"] }, async (client) => {
    const { id } = await client.batch(["a"]);
    const other = await client.batch(["b"]);
    const seen = async () => {
      const { status } = await client.send("GET", `/batches/${id}`).then(async (response) => {
        await response.text();
        return response;
      });
      const { data } = await client.json("GET", "/batches");
      return [status, data.length];
    };
    assert.deepEqual(await seen(), [404, 1]);
    await client.advance(10);
    assert.deepEqual(await seen(), [200, 1]);
    await client.advance(10);
    assert.deepEqual(await seen(), [200, 2]);
    assert.equal((await client.json("GET", `/batches/${other.id}`)).id, other.id);
  }));

/** The number of jobs after a create that failed as a fault says. */
async function jobsAfter(fault: string, check: (answer: Promise<Response>) => Promise<void>) {
  await withBatchMock({ faults: [`${fault}@1`] }, async (client) => {
    const file = await client.uploaded(inputLines(["a"]));
    await check(client.create(file));
    assert.equal((await client.ledger()).jobs.length, fault === "create_drop" ? 0 : 1);
    // The second create succeeds.
    assert.equal((await client.create(file)).status, 200);
  });
}

Deno.test("fault create_drop: the connection drops, and there is no job", () =>
  jobsAfter("create_drop", (answer) => assert.rejects(answer.then((it) => it.text()))));

Deno.test("fault create_commit_drop: the connection drops, and there is a job", () =>
  jobsAfter("create_commit_drop", (answer) => assert.rejects(answer.then((it) => it.text()))));

Deno.test("fault create_commit_500: an error, and there is a job", () =>
  jobsAfter("create_commit_500", async (answer) => {
    assert.equal((await answer).status, 500);
    await (await answer).text();
  }));

Deno.test("fault create_commit_hang: no answer, and there is a job", () =>
  withBatchMock({ faults: ["create_commit_hang"] }, async (client) => {
    const input_file_id = await client.uploaded(inputLines(["a"]));
    const leaving = new AbortController();
    const answer = fetch(`${client.base}/batches`, {
      method: "POST",
      signal: leaving.signal,
      body: JSON.stringify({
        input_file_id,
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      }),
    });
    while ((await client.ledger()).jobs.length === 0);
    leaving.abort();
    await assert.rejects(answer, { name: "AbortError" });
  }));

Deno.test("faults of files: a lost answer to an upload, and a file that is not found yet", () =>
  withBatchMock({ faults: ["upload_drop@1", "file_not_found@1"] }, async (client) => {
    await assert.rejects(client.upload(inputLines(["a"])).then((answer) => answer.text()));
    const { data } = await client.json("GET", "/files");
    assert.equal(data.length, 1);
    const refused = await client.create(data[0].id);
    assert.deepEqual([refused.status, /cannot find file/.test(await refused.text())], [400, true]);
    assert.equal((await client.create(data[0].id)).status, 200);
  }));

Deno.test("faults of reading: 502, cut downloads and pages of one job", () =>
  withBatchMock({ faults: ["poll_502@1", "cut_download@1", "list_page"] }, async (client) => {
    await client.batch(["a"]);
    const { id } = await client.batch(prompts(3));
    const failed = await client.send("GET", `/batches/${id}`);
    assert.equal(failed.status, 502);
    await failed.text();
    const { output_file_id } = await client.json("GET", `/batches/${id}`);
    const cut = await fetch(`${client.base}/files/${output_file_id}/content`);
    await assert.rejects(cut.text());
    assert.equal((await client.content(output_file_id)).length, 3);
    const page = await client.json("GET", "/batches?limit=100");
    assert.deepEqual([page.data.length, page.has_more], [1, true]);
    const next = await client.json("GET", `/batches?after=${page.last_id}`);
    assert.deepEqual([next.data.length, next.has_more], [1, false]);
  }));

Deno.test("a limit of queued tokens: a job waits until another one has ended", () =>
  withBatchMock({ duration: 100, queuedTokens: 1000 }, async (client) => {
    const first = await client.batch(prompts(20));
    const second = await client.batch(prompts(20));
    await client.advance(50);
    const state = async (id: string) => await client.json("GET", `/batches/${id}`);
    assert.equal((await state(first.id)).status, "in_progress");
    const { status, errors } = await state(second.id);
    assert.deepEqual([status, errors.data[0].code], ["failed", "token_limit_exceeded"]);
    await client.advance(60);
    const third = await client.batch(prompts(20));
    await client.advance(200);
    assert.equal((await state(third.id)).status, "completed");
  }));

Deno.test("faults are changed at run time, and counted from the start again", () =>
  withBatchMock({ faults: ["token_limit@1"] }, async (client) => {
    const status = async () => {
      const { id } = await client.batch(["a"]);
      return (await client.json("GET", `/batches/${id}`)).status;
    };
    assert.deepEqual([await status(), await status()], ["failed", "completed"]);
    const put = (faults: unknown) =>
      fetch(`${client.origin}/__mock/batches/faults`, {
        method: "PUT",
        body: JSON.stringify({ faults }),
      });
    const answer = await put(["token_limit@1"]);
    assert.deepEqual(await answer.json(), {
      faults: [{ kind: "token_limit", value: 1, from: 1, to: 1, every: 1 }],
    });
    assert.deepEqual([await status(), await status()], ["failed", "completed"]);
    const wrong = await put(["nope"]);
    assert.equal(wrong.status, 400);
    assert.match((await wrong.json()).error.message, /expected one of/);
    assert.equal((await put("x")).status, 400);
  }));

Deno.test("--error-rate hits the requests for batches, but not their rows", () =>
  withBatchMock({}, async (client) => {
    let failed = 0;
    const retried = async (send: () => Promise<Response>) => {
      while (true) {
        const response = await send();
        if (response.ok) return await response.json();
        assert.equal(response.status, 500);
        await response.text();
        failed++;
      }
    };
    const { id: file } = await retried(() => client.upload(inputLines(prompts(20))));
    const { id } = await retried(() => client.create(file));
    const batch = await retried(() => client.send("GET", `/batches/${id}`));
    assert.deepEqual(batch.request_counts, { total: 20, completed: 20, failed: 0 });
    assert.ok(failed > 0);
    assert.equal((await client.ledger()).jobs.length, 1);
  }, { errorRate: 0.7, seed: 1 }));

Deno.test("wrong options of batches are reported at the start", async () => {
  for (
    const [batch, message] of [
      [{ duration: -1 }, /batch\.duration: expected seconds ≥ 0, got -1/],
      [{ duration: Infinity }, /batch\.duration/],
      [{ queuedTokens: 0 }, /batch\.queuedTokens/],
      [{ api: "nope" as "openai" }, /batch\.api: expected openai, azure/],
      [{ faults: ["nope"] }, /batch fault "nope"/],
    ] as const
  ) await assert.rejects(startMockServer({ batch }), message);
});
