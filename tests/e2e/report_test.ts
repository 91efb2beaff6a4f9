/** `flexllm report` and `batch --report`, and their page in a real browser. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { failure, pageOf, result, START, writeLines } from "../report/support.ts";
import { BrowserPage, chromium } from "../support/chromium.ts";
import { flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("batch --report writes a page about its results and events", async () => {
  using folder = temporaryFolder();
  folder.write("in.txt", "one\ntwo\nthree\n");
  const { code, stderr } = await flexllm(
    ["batch", "in.txt", "-o", "out.jsonl", "-m", "mock", "--report", "page.html"],
    { cwd: folder.path },
  );
  assert.equal(code, 0);
  assert.match(stderr, /^Report: page\.html$/m);
  const page = readFileSync(join(folder.path, "page.html"), "utf8");
  assert.match(page, /<dt>Succeeded<\/dt><dd>3 /);
  assert.match(page, /<td>flexllm [\d.]+ on /);
  assert.match(page, /<pre class="command">flexllm batch in\.txt -o out\.jsonl -m mock/);
});

Deno.test("a report needs results, and replaces only reports", async () => {
  using folder = temporaryFolder();
  const notes = folder.write("notes.html", "<p>mine</p>");
  const file = writeLines(folder.path, "out.jsonl", [result(0)]);
  const refused = await flexllm(["report", file, "-o", notes]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /notes\.html already exists and is not a report/);
  assert.equal(readFileSync(notes, "utf8"), "<p>mine</p>");
});

/** The page of results with everything that a report can draw. */
async function fullPage(folder: string): Promise<string> {
  const long = "organization/a-very-long-name-without-any-space-0123456789-".repeat(4);
  const results = Array.from(
    { length: 300 },
    (_, i) =>
      i % 10 === 0
        ? failure(
          i,
          i % 20 === 0 ? "timeout" : "schema_mismatch",
          `${long} <img src=//example.org>`,
        )
        : result(i, {
          latency: 0.5 + i % 7,
          queued: i % 3,
          first_token: 0.2,
          cached: i % 9 === 0 ? true : undefined,
          model: i % 2 === 0 ? "mock" : long,
          endpoint: `http://${long}/v1`,
          output: `<script>alert(${i})</script>${long}`,
          usage: { prompt_tokens: i + 1, completion_tokens: i * 3 + 1 },
        }),
  );
  const path = writeLines(folder, `out.jsonl`, results);
  const run = { type: "run", at: new Date(START).toISOString(), version: "1", runtime: "deno" };
  const settings = { models: ["mock"], endpoints: [], records: 300, restored: 0, concurrency: 4 };
  const period = { type: "period", at: START, seconds: 1, in_flight: 4, waiting: 1, succeeded: 1 };
  const tokens = { prompt_tokens: 1, completion_tokens: 1, cost: 0, retried: { rate_limit: 2 } };
  const mark = (kind: string, at: number) => ({ type: "mark", kind, at: START + at * 1000 });
  const lines = [
    { ...run, ...settings, budget: 0.4, settings: { max_qps: 5 } },
    { ...period, ...tokens },
    ...[mark("rate_limited", 3), mark("breaker_open", 4), mark("breaker_closed", 9)],
  ];
  writeFileSync(`${path}.events`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const page = await pageOf([path]);
  return page;
}

Deno.test({
  name: "a report fits narrow and wide screens, loads nothing, and runs nothing",
  ignore: chromium === undefined,
  async fn() {
    using folder = temporaryFolder();
    const url = pathToFileURL(folder.write("page.html", await fullPage(folder.path))).href;
    await using page = await BrowserPage.open();
    for (
      const [width, scheme, background] of [
        [360, "light", "rgb(247, 248, 250)"],
        [1280, "dark", "rgb(16, 19, 24)"],
      ] as const
    ) {
      await page.visit(url, width, scheme);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
      assert.equal(
        await page.evaluate("getComputedStyle(document.body).backgroundColor"),
        background,
      );
    }
    const evaluate = async (expression: string) => Number(await page.evaluate(expression));
    // Labels stay within their pictures.
    const outside = "[...document.querySelectorAll('figure svg text')].filter((text) => { " +
      "const box = text.getBoundingClientRect(); " +
      "const frame = text.closest('svg').getBoundingClientRect(); " +
      "return box.left < frame.left - 1 || box.right > frame.right + 1; }).map(({ textContent }) => textContent).join()";
    assert.equal(await page.evaluate(outside), "");
    assert.ok(await evaluate("document.querySelectorAll('figure svg').length") > 12);
    assert.equal(await evaluate("document.querySelectorAll('script, img').length"), 0);
    assert.equal(await evaluate("performance.getEntriesByType('resource').length"), 0);
    assert.deepEqual(page.complaints, []);
  },
});
