/** `flexllm logs`: list, search, show, rename, export and delete what ask and chat saved. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { flexllm } from "../support/cli.ts";
import { startOnTerminal, withoutTerminal } from "../support/terminal.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const FOLDER = ".flexllm/conversations";
const OLD = "20260101-101112-123abcd";
const NEW = "20260301-101112-123abcd";
const DAMAGED = "20260201-000000-000zzzz";

function save(home: TemporaryFolder, id: string, day: string, fields: object): void {
  mkdirSync(home.file(FOLDER), { recursive: true });
  const created = `${day}T10:11:12.123Z`;
  const path = home.write(
    join(FOLDER, `${id}.json`),
    JSON.stringify({ version: 1, id, created, model: "gpt-5.4-mini", ...fields }),
  );
  const time = Date.parse(created) / 1000;
  utimesSync(path, time, time);
}

function turn(user: string, assistant: string, more: object = {}) {
  return {
    at: "2026-03-01T10:11:12.123Z",
    user: { role: "user", content: user },
    assistant: { role: "assistant", content: assistant },
    model: "gpt-5.4-mini",
    usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    cost: 0.002,
    latency: 0.4,
    finish_reason: "stop",
    ...more,
  };
}

/** A home with an old conversation of version 0.1, a damaged file and a new conversation. */
function setUp(): {
  home: TemporaryFolder;
  run: (...args: string[]) => ReturnType<typeof flexllm>;
} {
  const home = temporaryFolder();
  save(home, OLD, "2026-01-01", {
    model: "claude-opus-5",
    turns: [turn("What is 2 + 2?", "4", { cost: undefined, model: "claude-opus-5" })],
  });
  save(home, NEW, "2026-03-01", {
    system: "You are terse.",
    turns: [
      turn("Name a river\nin Europe.", "The Danube.\n```js\nlet x = 1;\n```", {
        thinking: "Rhine or Danube?",
        files: ["map.png"],
      }),
      turn("\u001b[31mred", "Blue"),
    ],
  });
  home.write(join(FOLDER, `${DAMAGED}.json`), "{damaged");
  utimesSync(home.file(join(FOLDER, `${DAMAGED}.json`)), 1_769_904_000, 1_769_904_000);
  const env = { HOME: home.path };
  return { home, run: (...args) => flexllm(["logs", ...args], { env, cwd: home.path }) };
}

Deno.test("logs lists conversations, the last used first, and names damaged files", async () => {
  const { home, run } = setUp();
  using _ = home;
  const { code, stdout, stderr } = await run();
  assert.equal(code, 0);
  const [titles, first, second] = stdout.split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(titles, ["#", "id", "last used", "turns", "cost", "model", "title"]);
  assert.deepEqual([first[1], ...first.slice(4)], [
    NEW,
    "$0.004",
    "gpt-5.4-mini",
    "Name a river",
  ]);
  assert.deepEqual([second[0], second[1], second[4]], ["2", OLD, "unknown"]);
  assert.match(stderr, new RegExp(`warning: cannot read the conversation .*${DAMAGED}`));

  const filtered = await run("--model", "CLAUDE", "--json");
  assert.deepEqual(JSON.parse(filtered.stdout).map(({ id }: { id: string }) => id), [OLD]);
  const since = await run("list", "--since", "2026-02-15", "-n", "5", "--json");
  assert.deepEqual(JSON.parse(since.stdout).map(({ id }: { id: string }) => id), [NEW]);
  assert.equal(since.stderr, "", "the damaged file is older");
  assert.match((await run("--since", "1h")).stderr, /No saved conversation matches/);
});

Deno.test("logs search shows the places, and its JSON where they are", async () => {
  const { home, run } = setUp();
  using _ = home;
  const { stdout } = await run("search", "river", "dan");
  assert.match(stdout, new RegExp(`^${NEW}  Name a river\n`));
  assert.match(stdout, /user 1: Name a \[river\] in Europe\./);
  assert.match(stdout, /assistant 1: The \[Dan\]ube\./);
  const { stdout: json } = await run("search", '"danube?"', "--json", "-m", "gpt");
  const [{ id, hits: [hit] }] = JSON.parse(json);
  assert.deepEqual([id, hit.part, hit.turn], [NEW, "thinking", 1]);
  assert.equal(hit.snippet.slice(...hit.matches[0]), "Danube?");
  const none = await run("search", "volga");
  assert.deepEqual([none.code, none.stdout], [0, ""]);
  assert.match(none.stderr, /No saved conversation contains "volga"/);
  assert.equal((await run("search", " ")).code, 1);
});

Deno.test("logs show prints everything, with thinking folded and control characters replaced", async () => {
  const { home, run } = setUp();
  using _ = home;
  const { stdout } = await run("show", "river");
  assert.match(stdout, new RegExp(`^Name a river\n${NEW} · `));
  assert.match(stdout, /\nSystem\nYou are terse\.\n/);
  assert.match(stdout, /\nUser {2}[^\n]+\nName a river\nin Europe\.\nAttached: map\.png\n/);
  assert.match(stdout, /\(thinking: 3 words; --show-thinking shows it\)\nThe Danube\./);
  assert.match(stdout, /9 tokens in, 5 out · \$0\.002 · 0\.4 s/);
  assert.match((await run("show", "1", "--show-thinking")).stdout, /Rhine or Danube\?\n/);
  assert.equal((await run("show", "1", "--answer")).stdout, "Blue\n");
  assert.equal((await run("show", OLD.slice(0, 8), "--json")).code, 0);
  const both = await run("last", "2", "--answer");
  assert.equal(both.stdout, "4\n\nBlue\n");
  assert.equal((await run("last", "-m", "claude", "--answer")).stdout, "4\n");
  const noCode = await run("last", "--code");
  assert.match(noCode.stderr, /has no code block/);
  const damaged = await run("show", DAMAGED);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stderr, /cannot read the conversation/);
});

Deno.test({
  name: "on a terminal, logs fits the width and hides escape sequences",
  ignore: withoutTerminal,
  async fn() {
    const { home } = setUp();
    using _ = home;
    await using terminal = startOnTerminal(["logs", "show", NEW], { home });
    await terminal.shows("[31mred");
    await terminal.finished;
  },
});

Deno.test("logs rename sets a title; the list keeps its order", async () => {
  const { home, run } = setUp();
  using _ = home;
  assert.match((await run("rename", OLD, " Sums\nand more ")).stderr, /is now "Sums and more"/);
  const list = JSON.parse((await run("--json")).stdout);
  assert.deepEqual(list.map(({ title }: { title: string }) => title), [
    "Name a river",
    "Sums and more",
  ]);
  const { stdout } = await run("rename", "Sums", "", "--json");
  assert.deepEqual(JSON.parse(stdout), { id: OLD, title: "What is 2 + 2?" });
});

Deno.test("logs export writes the format of the file's name and replaces nothing unasked", async () => {
  const { home, run } = setUp();
  using _ = home;
  assert.match((await run("export", "last")).stdout, /^# Name a river\n/);
  assert.equal((await run("export", "--all", "-o", "all.jsonl")).code, 0);
  const lines = jsonLines(home.read("all.jsonl"));
  assert.deepEqual(lines.map(({ id, messages }) => [id, messages.length]), [[NEW, 5], [OLD, 2]]);
  // The lines are an input of a batch.
  const batch = await flexllm(["batch", "all.jsonl", "-o", "out.jsonl", "-m", "mock", "-q"], {
    env: { HOME: home.path },
    cwd: home.path,
  });
  assert.equal(batch.code, 0, batch.stderr);
  const again = await run("export", "--all", "-o", "all.jsonl");
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already exists\nPass --yes/);
  assert.equal((await run("export", "2", "-o", "all.jsonl", "--yes")).code, 0);
  assert.equal(jsonLines(home.read("all.jsonl")).length, 1);
  assert.match((await run("export", "last", "-o", "x.docx")).stderr, /cannot tell the format/);
  for (const args of [[], ["last", "--all"]]) {
    assert.match((await run("export", ...args)).stderr, /name the conversations to export/);
  }
  await run("export", "--since", "2026-02-15", "-o", "page.html");
  assert.match(home.read("page.html"), /^<!doctype html>/);
});

Deno.test("logs delete deletes by name, and by age only with --yes", async () => {
  const { home, run } = setUp();
  using _ = home;
  const path = (id: string) => home.file(join(FOLDER, `${id}.json`));
  const dry = await run("delete", "--older-than", "2026-02-01", "--dry-run");
  assert.match(dry.stderr, new RegExp(`  ${OLD}  .*What is 2.*\nWould delete 1 conversation\\.`));
  const unasked = await run("delete", "--older-than", "2026-02-01");
  assert.equal(unasked.code, 1);
  assert.match(unasked.stderr, /Pass --yes/);
  assert.equal(existsSync(path(OLD)), true);
  const other = await run("delete", "--older-than", "1d", "-m", "claude", "--yes", "--json");
  assert.deepEqual(JSON.parse(other.stdout), { deleted: [OLD] });
  assert.equal(existsSync(path(OLD)), false);
  // A damaged file can be deleted by its whole id.
  assert.equal((await run("delete", DAMAGED, "last")).code, 0);
  assert.deepEqual([existsSync(path(DAMAGED)), existsSync(path(NEW))], [false, false]);
  assert.match((await run()).stderr, /No saved conversations/);
  for (const args of [[], ["1", "--older-than", "1d"], ["--model", "x"]]) {
    assert.equal((await run("delete", ...args)).code, 1);
  }
});

Deno.test("logs shows what ask saved, and --no-save saves nothing", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  await flexllm(["ask", "-m", "mock", "--no-save", "secret question"], { env });
  assert.match((await flexllm(["logs"], { env })).stderr, /No saved conversations/);
  await flexllm(["ask", "-m", "mock", "plain question"], { env });
  const { stdout } = await flexllm(["logs", "last"], { env });
  assert.match(stdout, /^plain question\n/);
  assert.match((await flexllm(["logs", "plain"], { env })).stderr, /logs search/);
  const path = (await flexllm(["logs", "path"], { env })).stdout.trim();
  assert.equal(existsSync(path), true);
});
