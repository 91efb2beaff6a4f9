/** The page is one small file in which nothing from results is HTML. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { ratePoints, timeScale, valuesOf } from "../../lib/report/pictures/timeline.ts";
import { collect, failure, pageOf, result, START, writeLines } from "./support.ts";

const HOSTILE = `</script></title></pre><img src=x onerror=alert(1)>"'&lt;{{a}}\u2028`;

/** The tags of a page, without their attributes. */
function tags(page: string): Set<string> {
  return new Set([...page.matchAll(/<\/?([a-z][\w-]*)/gi)].map(([, name]) => name.toLowerCase()));
}

Deno.test("texts of results never become tags", async () => {
  using folder = temporaryFolder();
  const fields = {
    output: HOSTILE,
    input: [{ role: "user", content: HOSTILE }],
    model: HOSTILE,
    endpoint: HOSTILE,
    finish_reason: HOSTILE,
  };
  const hostile = writeLines(folder.path, "<b>.jsonl", [
    ...Array.from(
      { length: 30 },
      (_, i) => result(i, { ...fields, requested_model: `${HOSTILE}${i % 2}` }),
    ),
    failure(30, HOSTILE, HOSTILE),
    failure(31, "schema_mismatch", `the answer does not match the schema: ${HOSTILE}: no`),
  ]);
  const harmless = writeLines(folder.path, "b.jsonl", [
    ...Array.from({ length: 30 }, (_, i) => result(i, { requested_model: `m${i % 2}` })),
    failure(30, "code", "message"),
    failure(31, "schema_mismatch", "the answer does not match the schema: #/a: no"),
  ]);
  const options = { title: HOSTILE, retry: [HOSTILE], again: [HOSTILE] };
  const page = await pageOf([hostile], options);
  assert.deepEqual(tags(page), tags(await pageOf([harmless])));
  assert.ok(!tags(page).has("script") && !tags(page).has("img"));
  assert.ok(page.includes("&lt;img src=x onerror=alert(1)&gt;"));
  // No attribute handles events or loads anything. Values can contain any text.
  const names = page.replace(/="[^"]*"/g, "=");
  assert.doesNotMatch(names, /<[^>]*\s(?:on\w+|src|style)=/i);
  assert.doesNotMatch(page, /\shref="(?!#)/);
});

Deno.test("the policy allows the style sheet and nothing else", async () => {
  using folder = temporaryFolder();
  const page = await pageOf([writeLines(folder.path, "out.jsonl", [result(0)])]);
  const [, style] = /<style>([\s\S]*?)<\/style>/.exec(page)!;
  const digest = hash("sha256", style, "base64");
  assert.ok(page.includes(
    `content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'"`,
  ));
  assert.equal(page.match(/<style/g)!.length, 1);
});

Deno.test("a report stays small whatever the results contain", async () => {
  using folder = temporaryFolder();
  const long = '&"<日本語'.repeat(800);
  const lines = Array.from(
    { length: 600 },
    (_, i) =>
      i % 3 === 0
        ? failure(i, `code ${i}`, `${String.fromCharCode(0x4e00 + i)}${long}`)
        : result(i, {
          output: long,
          input: [{ role: "user", content: long }],
          model: `${i}${long.slice(0, 2000)}`,
          endpoint: `http://${i}/${long.slice(0, 2000)}`,
          finish_reason: `${i}${long.slice(0, 2000)}`,
          requested_model: `${i % 8}${long.slice(0, 2000)}`,
          latency: i,
          usage: { prompt_tokens: i * i, completion_tokens: i * i * i },
        }),
  );
  const path = writeLines(folder.path, "out.jsonl", lines);
  const page = await pageOf([path], { again: [long], retry: [long] });
  assert.ok(page.length > 300_000);
  assert.ok(new TextEncoder().encode(page).length < 1_000_000, `${page.length}`);
});

Deno.test("texts can be left out, and keys always are", async () => {
  using folder = temporaryFolder();
  const path = writeLines(folder.path, "out.jsonl", [
    result(0, { output: "it is sk-secret-1" }),
    failure(1, "http", "the key sk-secret-1 is wrong"),
  ]);
  const redact = (text: string) => text.replaceAll("sk-secret-1", "[key removed]");
  const page = await pageOf([path], { redact });
  assert.ok(!page.includes("sk-secret-1"));
  assert.ok(page.includes("it is [key removed]") && page.includes("question 0"));
  const bare = await pageOf([path], { redact, content: false });
  assert.doesNotMatch(bare, /question \d|it is|Random sample/);
  assert.ok(bare.includes("the key [key removed] is wrong"));
});

Deno.test("pictures have their numbers as a title and as a table", async () => {
  using folder = temporaryFolder();
  const lines = Array.from({ length: 40 }, (_, i) => result(i, { latency: i < 30 ? 1 : 10 }));
  const page = await pageOf([writeLines(folder.path, "out.jsonl", lines)]);
  assert.match(page, /<title>[^<]+: 30 answers<\/title>/);
  assert.match(page, /<title>[^<]+: 10 answers<\/title>/);
  assert.match(page, /<th scope="row">99%<\/th><td class="num">10 s<\/td>/);
  assert.ok(page.includes("Retried attempts: left out, since when and why is not known"));
  const svgs = page.match(/<svg [^>]*>/g)!;
  assert.ok(svgs.length >= 10, String(svgs.length));
  for (const svg of svgs) assert.match(svg, /role="img" aria-label="[^"]+"/);
  // Colors are those of the style sheet, which knows light and dark.
  const colors = [...page.slice(page.indexOf("<body>")).matchAll(/ (?:fill|stroke)="([^"]*)"/g)];
  assert.deepEqual(colors.map(([, color]) => color).filter((c) => !/^none$|^var\(/.test(c)), []);
});

Deno.test("files of version 0.1.0 and of the Python tool make a report", async () => {
  using folder = temporaryFolder();
  const old = writeLines(folder.path, "old.jsonl", [
    '{"index":0,"output":"a","status":"success","input":[{"role":"user","content":"q"}],"model":"m","latency":0.5}',
    '{"index":1,"output":null,"status":"error","input":"text","error":"no","metadata":{"id":1}}',
  ]);
  const python = writeLines(folder.path, "python.jsonl", [
    '{"index": 0, "output": "a", "status": "success", "input": [{"role": "user", "content": "q"}], "metadata": null, "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}',
    '{"index": 1, "output": null, "status": "error", "error": "Timeout", "input": "q"}',
  ]);
  const empty = writeLines(folder.path, "empty.jsonl", []);
  for (const path of [old, python, empty]) {
    const page = await pageOf([path]);
    assert.ok(page.includes("Records per second: left out, since the results don&#39;t say when"));
  }
  const page = await pageOf([old, python, empty]);
  assert.ok(page.includes("<td") && page.includes("python.jsonl"));
});

Deno.test("a resumed batch has no gap in its charts", async () => {
  using folder = temporaryFolder();
  const later = (i: number) => ({ at: new Date(START + 86_400_000 + i * 1000).toISOString() });
  const lines = Array.from({ length: 100 }, (_, i) => result(i, i < 50 ? {} : later(i)));
  const page = await pageOf([writeLines(folder.path, "out.jsonl", lines)]);
  assert.match(page, /idle 24 h/);
  assert.match(page, /<dt>Duration<\/dt><dd>10[01] s/);
});

Deno.test("a steady rate is drawn as steady, whatever the periods are", async () => {
  using folder = temporaryFolder();
  // Two results a second for 1,000 s, each with a latency of zero.
  const lines = Array.from(
    { length: 2000 },
    (_, i) => result(i, { at: new Date(START + i * 500).toISOString(), latency: undefined }),
  );
  const data = await collect([writeLines(folder.path, "out.jsonl", lines)]);
  const scale = timeScale(data, "results")!;
  const [run] = data.runs;
  const rates = ratePoints(
    valuesOf(data.series[0].time, "succeeded", run, scale),
    scale,
    run.time.seconds,
  );
  for (const [x, rate] of rates.slice(1, -1)) assert.ok(Math.abs(rate - 2) < 0.2, `${x}: ${rate}`);
});

Deno.test("an unknown cost is not shown as $0.00, and tokens are whole numbers", async () => {
  using folder = temporaryFolder();
  const unpriced = { cost: undefined, usage: { prompt_tokens: 6, completion_tokens: 25 } };
  const lines = [
    result(0, { ...unpriced, model: "local", endpoint: "http://a/v1" }),
    result(1, { ...unpriced, model: "mixed", endpoint: "http://b/v1" }),
    result(2, { model: "mixed", endpoint: "http://b/v1", cost: 0.5 }),
    result(3, { model: "free", endpoint: "http://c/v1", cost: 0 }),
  ];
  const page = await pageOf([writeLines(folder.path, "out.jsonl", lines)]);
  const costs = (name: string) =>
    [...page.matchAll(new RegExp(`<th[^>]*>${name}</th>.*?<td[^>]*>([^<]*)</td></tr>`, "gs"))]
      .map(([, cost]) => cost);
  assert.deepEqual(costs("local"), ["unknown"]);
  assert.deepEqual(costs("mixed"), ["at least $0.50"]);
  assert.deepEqual(costs("free"), ["$0.00"]);
  assert.deepEqual(costs("http://a/v1"), ["unknown"]);
  assert.match(page, />22 to 31</);
  assert.doesNotMatch(page, /5\.9\d/);
});
