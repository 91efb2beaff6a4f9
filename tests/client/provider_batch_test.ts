/** Provider batches of the library: submitted, left, opened again, collected and cancelled. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { z } from "zod";
import {
  type BatchItem,
  CallLog,
  type ClientOptions,
  ConfigurationError,
  CostTracker,
  createMockApp,
  JournalError,
  LLMClient,
  LLMClientPool,
  type Message,
  type MockOptions,
  type ProviderBatch,
} from "../../mod.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const HOUR = 3600;
/** The mock's time moves only when a test moves it. */
const FAST = { pollInterval: 0.01 };

function questions(count: number): Message[][] {
  return Array.from(
    { length: count },
    (_, i): Message[] => [{ role: "user", content: `Question ${i}?` }],
  );
}

/** A provider that outlives its clients. Its jobs take an hour. */
class World implements Disposable {
  readonly folder: TemporaryFolder = temporaryFolder();
  readonly output = this.folder.file("out.jsonl");
  /** Called after the provider has handled a request. */
  after: (request: { method: string; url: string }) => Promise<void> | void = () => {};
  readonly #app;

  constructor({ batch, ...options }: MockOptions = {}) {
    this.#app = createMockApp({ length: 10, ...options, batch: { duration: HOUR, ...batch } });
  }

  /** A client, as a new process would create it. */
  client(options: Partial<ClientOptions> = {}): LLMClient {
    return new LLMClient({
      baseUrl: "http://mock.invalid/v1",
      model: "any",
      apiKey: "sk-0123456789",
      fetch: async (url, init) => {
        const response = await this.#app.fetch(new Request(url, init));
        await this.after({ method: init.method ?? "GET", url });
        return response;
      },
      ...options,
    });
  }

  async advance(seconds: number): Promise<void> {
    await this.#send("clock", { advance: seconds });
  }

  /** Lets jobs end once they are cancelled. */
  endCancelled(): void {
    this.after = async ({ url }) => {
      if (url.endsWith("/cancel")) await this.advance(HOUR);
    };
  }

  /** Lets the provider validate all jobs. */
  validate(): Promise<void> {
    return this.advance(HOUR / 4);
  }

  // deno-lint-ignore no-explicit-any
  async ledger(): Promise<any> {
    const response = await this.#app.fetch(new Request("http://mock.invalid/__mock/batches"));
    return await response.json();
  }

  /** Asserts how many requests were billed, and that none was billed twice. */
  async assertBilled(count: number): Promise<void> {
    const { totals, rows } = await this.ledger();
    assert.deepEqual([totals.billed, rows], [count, []]);
  }

  lines() {
    return jsonLines(this.folder.read("out.jsonl"));
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }

  async #send(path: string, body: unknown): Promise<void> {
    const request = new Request(`http://mock.invalid/__mock/batches/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    assert.equal((await this.#app.fetch(request)).status, 200);
  }
}

/** All items of a batch, by index. Fails if a record has two. */
async function collected<T>(batch: ProviderBatch<T>): Promise<BatchItem<T>[]> {
  const items: BatchItem<T>[] = [];
  for await (const item of batch.results()) {
    assert.equal(items[item.index], undefined, `record ${item.index} has two items`);
    items[item.index] = item;
  }
  return items;
}

Deno.test("a batch is submitted, and collected by a client that only knows its file", async () => {
  using world = new World();
  {
    await using client = world.client();
    await using batch = await client.submitBatch(questions(20), { output: world.output, ...FAST });
    await world.validate();
    const { done, parts: [part], output } = await batch.status();
    assert.deepEqual([done, part.state, part.rows, part.live], [false, "running", 20, true]);
    assert.deepEqual([output, part.model], [world.output, "any"]);
    assert.ok(part.job!.startsWith("batch_") && part.age! >= 0 && part.expiresAt! > new Date());
  }
  await world.advance(HOUR / 4);
  await using client = world.client();
  await using batch = await client.openBatch(world.output, FAST);
  const { parts: [half] } = await batch.status();
  assert.ok(half.succeeded! > 0 && half.succeeded! < 20);
  await world.advance(HOUR);
  const results = batch.results();
  const indexes: number[] = [];
  for await (const item of results) {
    assert.ok(item.status === "success" && !item.restored);
    assert.deepEqual(item.messages, questions(20)[item.index]);
    indexes.push(item.index);
  }
  assert.deepEqual(indexes.toSorted((a, b) => a - b), [...Array(20).keys()]);
  assert.deepEqual([results.summary.succeeded, results.summary.restored], [20, 0]);
  const { done, parts: [part] } = await batch.status();
  assert.deepEqual([done, part.state, part.succeeded, part.left], [true, "collected", 20, 0]);
  assert.deepEqual(world.lines().map(({ index }) => index), [...Array(20).keys()]);
  await world.assertBilled(20);

  const again = await client.openBatch(world.output);
  const restored = await collected(again);
  assert.ok(restored.every((item) => item.status === "success" && item.restored));
  assert.deepEqual([restored.length, restored[3].messages], [20, questions(20)[3]]);
});

Deno.test("submitting again submits nothing twice, and only what has no answer", async () => {
  using world = new World();
  await using client = world.client();
  await client.submitBatch(questions(5), { output: world.output, ...FAST });
  // Until the provider has accepted the first job, the second one waits.
  await world.validate();
  const batch = await client.submitBatch(questions(8), { output: world.output, ...FAST });
  assert.deepEqual((await batch.status()).parts.map(({ rows }) => rows), [5, 3]);
  await world.advance(HOUR);
  assert.equal((await collected(batch)).length, 8);
  await client.submitBatch(questions(8), { output: world.output, ...FAST });
  await world.assertBilled(8);
});

Deno.test("results submits what the limits did not allow, from inputs that are read once", async () => {
  using world = new World({ batch: { duration: 0 } });
  await using client = world.client();
  let read = 0;
  let closed = false;
  async function* inputs() {
    try {
      for (const messages of questions(300)) {
        read++;
        yield { messages, metadata: { n: read } };
      }
    } finally {
      closed = true;
    }
  }
  const options = { output: world.output, ...FAST, limits: { rows: 40, jobs: 1 } };
  await using batch = await client.submitBatch(inputs(), options);
  const first = read;
  assert.ok(first < 300, `${first} inputs were read`);
  const items = await collected(batch);
  assert.equal(items.length, 300);
  assert.ok(items.every(({ metadata, index }) => metadata!.n === index + 1));
  assert.deepEqual([read, closed], [300, true]);
  await world.assertBilled(300);
});

Deno.test("results of earlier runs beyond what was read are not submitted again", async () => {
  using world = new World({ batch: { duration: 0 } });
  await using client = world.client();
  await client.chatCompletionsBatch(questions(100), { output: world.output });
  await world.assertBilled(0);
  const options = { output: world.output, ...FAST, limits: { rows: 10, jobs: 1 } };
  const inputs = [...questions(100), ...questions(150).slice(100)];
  const batch = await client.submitBatch(inputs[Symbol.iterator](), options);
  const items = await collected(batch);
  assert.equal(items.length, 150);
  assert.equal(
    items.filter((item) => item.status === "success" && item.restored).length >= 100,
    true,
  );
  await world.assertBilled(50);
});

Deno.test("leaving a loop, a signal and close lose nothing", async () => {
  using world = new World();
  await using client = world.client();
  const controller = new AbortController();
  const options = { ...FAST, signal: controller.signal };
  const batch = await client.submitBatch(questions(4), { output: world.output, ...options });
  const waiting = collected(batch);
  controller.abort();
  await assert.rejects(waiting, { code: "aborted" });

  const opened = await client.openBatch(world.output, FAST);
  const pending = collected(opened);
  await opened.close();
  await assert.rejects(pending, { code: "aborted" });

  const other = world.client();
  const third = collected(await other.openBatch(world.output, FAST));
  await other.close();
  await assert.rejects(third, { code: "aborted" });

  await world.advance(HOUR);
  const last = await client.openBatch(world.output, FAST);
  for await (const _ of last.results()) break;
  const items = await collected(last);
  assert.deepEqual([items.length, (await last.status()).done], [4, true]);
  await world.assertBilled(4);
});

Deno.test("cancel collects what is done, and a later submit sends the rest", async () => {
  using world = new World();
  await using client = world.client();
  const options = { output: world.output, ...FAST };
  const batch = await client.submitBatch(questions(10), options);
  await world.advance(HOUR / 2);
  world.endCancelled();
  const { done, parts: [part] } = await batch.cancel();
  assert.deepEqual([done, part.state, part.succeeded, part.left], [true, "collected", 5, 5]);
  const items = await collected(await client.openBatch(world.output, FAST));
  assert.equal(items.filter(() => true).length, 5);
  assert.ok((await batch.cancel()).done, "nothing is left to cancel");

  const rest = await client.submitBatch(questions(10), options);
  assert.equal((await rest.status()).parts[1].rows, 5);
  await world.advance(HOUR);
  assert.equal((await collected(rest)).length, 10);
  await world.assertBilled(10);
});

Deno.test("a loop over the results carries out the cancellation of another client", async () => {
  using world = new World();
  await using client = world.client();
  const batch = await client.submitBatch(questions(10), { output: world.output, ...FAST });
  await world.advance(HOUR / 2);
  world.endCancelled();
  const results = batch.results();
  const first = results.next();
  await using other = world.client();
  const opened = await other.openBatch(world.output, FAST);
  assert.equal((await opened.cancel()).done, false);
  let taken = (await first).done ? 0 : 1;
  // The inputs were all in jobs, but the cancelled rows have no answer.
  await assert.rejects(async () => {
    for await (const _ of results) taken++;
  }, { code: "aborted", message: /cancelled before all records were done/ });
  assert.equal(taken, 5);
  assert.ok((await opened.status()).done);
  await world.assertBilled(5);
});

Deno.test("a job that expires halfway is collected, and only its rest is sent again", async () => {
  using world = new World({ batch: { faults: ["expire=30%@1"] } });
  await using client = world.client();
  const notes: string[] = [];
  await client.submitBatch(questions(10), { output: world.output, ...FAST });
  await world.advance(HOUR);
  const onNote = (text: string) => void notes.push(text);
  const batch = await client.openBatch(world.output, { ...FAST, onNote });
  world.after = async ({ method, url }) => {
    if (method === "POST" && url.endsWith("/batches")) await world.advance(HOUR);
  };
  const items = await collected(batch);
  assert.ok(items.length === 10 && items.every(({ status }) => status === "success"));
  assert.match(notes.join("\n"), /has no answer for 7 records: 7 not run \(expired\)/);
  assert.deepEqual(
    (await batch.status()).parts.map(({ rows, succeeded, left }) => [rows, succeeded, left]),
    [[10, 3, 7], [7, 7, 0]],
  );
  await world.assertBilled(10);
});

Deno.test("failed records are items, and only a new submission sends them again", async () => {
  using world = new World({ batch: { duration: 0, faults: ["all_errors=400@1"] } });
  await using client = world.client();
  const options = { output: world.output, ...FAST };
  const batch = await client.submitBatch(questions(3), options);
  for (const opened of [batch, batch, await client.openBatch(world.output, FAST)]) {
    const results = opened.results();
    const codes: string[] = [];
    for await (const item of results) {
      if (item.status === "error") codes.push(item.error.code);
    }
    assert.deepEqual(codes, ["http", "http", "http"]);
    assert.deepEqual([results.summary.failed, results.summary.errors], [3, { http: 3 }]);
  }
  assert.equal((await world.ledger()).jobs.length, 1);
  const again = await client.submitBatch(questions(3), options);
  assert.ok((await collected(again)).every(({ status }) => status === "success"));
});

Deno.test("an input that is wrong fails by itself, and is an item of the results", async () => {
  using world = new World({ batch: { duration: 0 } });
  await using client = world.client();
  const inputs = questions(3);
  inputs[1] = [];
  const batch = await client.submitBatch(inputs, { output: world.output, ...FAST });
  const items = await collected(batch);
  assert.deepEqual(items.map(({ status }) => status), ["success", "error", "success"]);
  const [, failed] = items;
  assert.equal(failed.status === "error" && failed.error.code, "invalid_input");
});

Deno.test("results have the type of their schema, also from the file", async () => {
  using world = new World({ responses: [{ text: '{"at": "2026-11-27"}' }] });
  await using client = world.client();
  const responseFormat = z.object({ at: z.string().transform((text) => new Date(text)) });
  await client.submitBatch(questions(2), { output: world.output, responseFormat, ...FAST });
  await world.advance(HOUR);
  for (const restored of [false, true]) {
    const batch = await client.openBatch(world.output, { ...FAST, responseFormat });
    const items = await collected(batch);
    assert.equal(items.length, 2);
    for (const item of items) {
      assert.ok(item.status === "success" && item.restored === restored);
      assert.equal(item.result.parsed?.at.getFullYear(), 2026);
    }
  }
  const strict = z.object({ at: z.number() });
  const items = await collected(await client.openBatch(world.output, { responseFormat: strict }));
  assert.ok(
    items.every((item) => item.status === "error" && item.error.code === "schema_mismatch"),
  );
});

Deno.test("an input that changed since its submission is refused, unless it may differ", async () => {
  using world = new World();
  await using client = world.client();
  const options = { output: world.output, ...FAST };
  await client.submitBatch(questions(3), options);
  const changed = questions(3);
  changed[1] = [{ role: "user", content: "Changed" }];
  const mismatch = { code: "journal_mismatch", index: 1 };
  await assert.rejects(client.submitBatch(changed, options), mismatch);
  await world.advance(HOUR);
  await collected(await client.openBatch(world.output, FAST));
  await assert.rejects(client.submitBatch(changed, options), mismatch);
  const batch = await client.submitBatch(changed, { ...options, rerunChanged: true });
  assert.equal((await batch.status()).parts[1].rows, 1);
  await world.advance(HOUR);
  await collected(await client.openBatch(world.output, FAST));
  assert.equal(world.lines()[1].input[0].content, "Changed");
  await world.assertBilled(4);
});

Deno.test("via: provider waits, continues, and restores", async () => {
  using world = new World({ batch: { duration: 0 } });
  await using client = world.client();
  const options = { via: "provider", output: world.output, jobs: FAST } as const;
  const { results, summary, stoppedBy } = await client.chatCompletionsBatch(questions(5), options);
  assert.deepEqual([results.length, summary.succeeded, stoppedBy], [5, 5, undefined]);
  const items = client.iterChatCompletionsBatch(questions(7), options);
  let restored = 0;
  for await (const item of items) if (item.status === "success" && item.restored) restored++;
  assert.deepEqual([restored, items.summary.succeeded, items.summary.restored], [5, 2, 5]);
  await world.assertBilled(7);
});

Deno.test("via: provider collects what submitBatch has submitted", async () => {
  using world = new World();
  await using client = world.client();
  await client.submitBatch(questions(5), { output: world.output, ...FAST });
  await world.advance(HOUR);
  const { results } = await client.chatCompletionsBatch(questions(5), {
    via: "provider",
    output: world.output,
    jobs: FAST,
  });
  assert.deepEqual(results.map(({ index, status }) => [index, status]), [
    ...[0, 1, 2, 3, 4].map((index) => [index, "success"]),
  ]);
  await world.assertBilled(5);
});

Deno.test("a deadline cancels the jobs, and says that records are left", async () => {
  using world = new World();
  world.endCancelled();
  await using client = world.client();
  const options = {
    via: "provider",
    output: world.output,
    jobs: { ...FAST, deadline: 0.001 },
  } as const;
  const { results, summary, stoppedBy } = await client.chatCompletionsBatch(questions(5), options);
  assert.deepEqual([results.length, summary.succeeded], [0, 0]);
  assert.equal(stoppedBy?.code, "timeout");
  assert.match(stoppedBy!.message, /deadline of 0\.001 s has passed/);
  // What is left can be sent live now.
  const live = await client.chatCompletionsBatch(questions(5), { output: world.output });
  assert.equal(live.summary.succeeded, 5);
  await world.assertBilled(0);
});

Deno.test("a deadline that passed while nobody waited is no error if everything is done", async () => {
  using world = new World();
  await using client = world.client();
  await client.chatCompletionsBatch(questions(3), { output: world.output });
  await client.submitBatch(questions(8), { output: world.output, ...FAST });
  await world.advance(HOUR);
  const jobs = { ...FAST, deadline: 1e-6 };
  const { results, stoppedBy, summary } = await client.chatCompletionsBatch(questions(8), {
    via: "provider",
    output: world.output,
    jobs,
  });
  assert.equal(stoppedBy, undefined);
  assert.deepEqual([results.length, summary.restored, summary.succeeded], [8, 3, 5]);
});

Deno.test("records at a provider are not sent live as well", async () => {
  using world = new World();
  await using client = world.client();
  await client.submitBatch(questions(3), { output: world.output, ...FAST });
  await assert.rejects(
    client.chatCompletionsBatch(questions(3), { output: world.output }),
    (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /out\.jsonl has 1 job \(3 records\): batch_\w+ at a provider$/);
      assert.match(error.hint!, /via: "provider" or openBatch\(\)/);
      return true;
    },
  );
});

Deno.test("a budget covers the rows of jobs", async () => {
  using world = new World();
  const costTracker = new CostTracker({ limit: 0.0045 });
  const prices = [{ model: "any", input: 0, output: 0, request: 0.001 }];
  await using client = world.client({ costTracker, prices });
  const batch = await client.submitBatch(questions(4), { output: world.output, ...FAST });
  await world.advance(HOUR);
  const results = batch.results();
  for await (const item of results) assert.ok(item.status === "success");
  assert.equal(costTracker.spent.toFixed(4), "0.0040");
  await assert.rejects(
    client.submitBatch(questions(10), { output: world.output, ...FAST }),
    { code: "budget_exceeded" },
  );
  const costs = new CostTracker({ limit: 0.0015 });
  await using other = world.client({ costTracker: costs, prices });
  const rest = await other.submitBatch(questions(10), { output: world.output, ...FAST });
  await world.advance(HOUR);
  let taken = 0;
  await assert.rejects(async () => {
    for await (const _ of rest.results()) taken++;
  }, { code: "budget_exceeded" });
  assert.deepEqual([taken, costs.spent.toFixed(4)], [5, "0.0010"]);
  await world.assertBilled(5);
});

Deno.test("what cannot be a provider batch is refused before anything is sent", async () => {
  using world = new World();
  await using client = world.client();
  const { output } = world;
  const inputs = questions(2);
  const refused = async (work: Promise<unknown>, message: RegExp) => {
    await assert.rejects(work, (error) => {
      assert.ok(error instanceof ConfigurationError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };
  const endpoint = { baseUrl: "http://mock.invalid/v1", model: "any" };
  await using pool = new LLMClientPool({ endpoints: [endpoint, { ...endpoint, model: "other" }] });
  await refused(
    pool.submitBatch(inputs, { output }),
    /needs a single endpoint, but this model has 2/,
  );
  await refused(
    pool.chatCompletionsBatch(inputs, { via: "provider", output }),
    /needs a single endpoint, but this model has 2/,
  );
  await using groups = new LLMClient({ provider: "ollama", model: "any" });
  await refused(groups.submitBatch(inputs, { output }), /has no batch API/);
  await refused(client.chatCompletionsBatch(inputs, { via: "provider" }), /needs a result file/);
  await refused(client.chatCompletionsBatch(inputs, { output, jobs: FAST }), /jobs: only for/);
  const unknown = { via: "batch" as "live" };
  await refused(client.chatCompletionsBatch(inputs, unknown), /via: expected "live"/);
  await refused(client.submitBatch(inputs, { output: "" }), /output: expected the path/);
  await refused(client.submitBatch(inputs, { output, deadline: 0 }), /deadline: expected seconds/);
  await refused(
    client.submitBatch(inputs, { output, limits: { rows: 0.5 } }),
    /limits\.rows: expected an integer ≥ 1, got 0\.5/,
  );
  await refused(
    client.submitBatch(inputs, { output, adopt: "batch_1", resend: true }),
    /adopt and resend exclude each other/,
  );
  await refused(
    client.chatCompletionsBatch(inputs, { via: "provider", output, schemaRetries: 1 }),
    /schemaRetries/,
  );
  await assert.rejects(client.openBatch(output), (error) => {
    assert.ok(error instanceof JournalError);
    assert.match(error.message, /does not exist/);
    return true;
  });
  assert.ok(!existsSync(output) && !existsSync(`${output}.parts`));
});

Deno.test("jobs of another key are shown with their last known state", async () => {
  using world = new World();
  await using client = world.client();
  await client.submitBatch(questions(2), { output: world.output, ...FAST });
  await using stranger = world.client({ apiKey: "sk-another-key-1" });
  const batch = await stranger.openBatch(world.output, FAST);
  const { parts: [part], done } = await batch.status();
  assert.deepEqual([done, part.problem], [false, "it belongs to another API key"]);
});

Deno.test("collected records are logged as calls without a duration, once, with keys removed", async () => {
  using world = new World({ batch: { duration: 0, faults: ["row_errors=3"] } });
  const lines: string[] = [];
  const { onCall } = new CallLog({ write: (line) => lines.push(line), content: true });
  await using client = world.client({ onCall });
  const inputs = [...questions(19), [{
    role: "user" as const,
    content: "Is sk-0123456789 a key?",
  }]];
  const batch = await client.submitBatch(inputs, { output: world.output, ...FAST });
  const items = await collected(batch);
  const calls = jsonLines(lines.join("\n"));
  const indexes = calls.map(({ index }) => index).toSorted((a, b) => a - b);
  assert.deepEqual(indexes, [...Array(20).keys()]);
  for (const call of calls) {
    const { status } = items[call.index];
    assert.deepEqual([call.event, call.outcome], ["call", status]);
    assert.equal(call.level, status === "error" ? "error" : "info");
    assert.equal(call.errorCode !== undefined, status === "error");
    assert.deepEqual([call.id, call.duration, call.attempts], [undefined, undefined, 1]);
    assert.equal(call.endpoint, "http://mock.invalid/v1");
    assert.equal(call.completionTokens > 0, status === "success");
  }
  assert.ok(calls.some(({ outcome }) => outcome === "error"));
  assert.doesNotMatch(lines.join("\n"), /sk-0123456789/);
});
