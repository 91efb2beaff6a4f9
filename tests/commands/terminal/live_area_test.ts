import assert from "node:assert/strict";
import { LiveArea } from "../../../commands/terminal/live_area.ts";
import { EmulatedTerminal } from "../../support/emulated_terminal.ts";

const WIDTHS = [50, 120, 30, 31, 29, 80, 20, 200, 60, 100, 35, 100];

/** Two lines of the maximum width. */
function full(name: string, { columns }: { columns: number }): string[] {
  return [`${name}1`.padEnd(columns - 1, "-"), `${name}2`.padEnd(columns - 1, "=")];
}

for (const reflow of [true, false]) {
  Deno.test(`a resize leaves no remnants on a terminal that ${reflow ? "rewraps" : "truncates"} lines`, async () => {
    using terminal = new EmulatedTerminal({ columns: 100, rows: 12, reflow });
    const area = new LiveArea(terminal);
    terminal.write("$ flexllm batch\n");
    area.draw(full("a", terminal));
    area.above("a first note");
    for (const columns of WIDTHS) {
      await terminal.resize(columns);
      area.draw(full("b", terminal));
      assert.deepEqual(await terminal.allRows(), [
        ...["$ flexllm batch", "a first note", ...full("b", terminal)],
      ]);
    }
    area.clear();
    assert.deepEqual(await terminal.allRows(), ["$ flexllm batch", "a first note"]);
  });

  Deno.test(`a resize noticed late leaves no remnants on a terminal that ${reflow ? "rewraps" : "truncates"} lines`, async () => {
    using terminal = new EmulatedTerminal({ columns: 90, rows: 12, reflow });
    const area = new LiveArea(terminal);
    area.draw(full("a", terminal));
    for (const columns of WIDTHS) {
      await terminal.resizeSilently(columns, 12);
      area.draw(full("stale", terminal));
      await terminal.resizeSilently(columns - 7, 10);
      area.draw(full("staler", terminal));
      area.above(`at ${columns}`);
      terminal.tell();
      area.draw(full("b", terminal));
    }
    const notes = WIDTHS.map((columns) => `at ${columns}`);
    assert.deepEqual((await terminal.allRows()).slice(reflow ? 0 : -8), [
      ...notes.slice(reflow ? 0 : -6),
      ...full("b", terminal),
    ]);
  });
}

Deno.test("notes remain complete and in order, however many and long", async () => {
  using terminal = new EmulatedTerminal({ columns: 60, rows: 8 });
  const area = new LiveArea(terminal);
  const notes: string[] = [];
  for (let i = 0; i < 200; i++) {
    notes.push(`note ${i} ${"x".repeat(i)}`);
    area.above(notes.at(-1)!);
    if (i % 3 === 0) area.draw(full(String(i), terminal));
    if (i % 20 === 0) await terminal.resize(30 + i % 47, 5 + i % 9);
  }
  area.clear();
  assert.deepEqual(await terminal.lines(), notes);
});

Deno.test("a note with several lines, wide characters or the exact width remains complete", async () => {
  using terminal = new EmulatedTerminal({ columns: 20, rows: 10 });
  const area = new LiveArea(terminal);
  area.draw(["one", "two"]);
  area.above("a\n\nb");
  area.above("z".repeat(20));
  area.above("漢字".repeat(8));
  area.clear();
  assert.deepEqual(await terminal.lines(), ["a", "", "b", "z".repeat(20), "漢字".repeat(8)]);
});

Deno.test("lines replace the previous ones, and the cursor stays at their start", async () => {
  using terminal = new EmulatedTerminal({ columns: 40, rows: 5 });
  const area = new LiveArea(terminal);
  for (let i = 0; i < 4; i++) terminal.write(`${i}\n`);
  area.draw(["a long first line", "a long second line"]);
  area.draw(["first", "second"]);
  assert.deepEqual(await terminal.allRows(), ["0", "1", "2", "3", "first", "second"]);
  assert.deepEqual(await terminal.cursor(), [3, 0]);
  area.draw(["only"]);
  assert.deepEqual(await terminal.allRows(), ["0", "1", "2", "3", "only"]);
  area.clear();
  terminal.write("done\n");
  assert.deepEqual(await terminal.allRows(), ["0", "1", "2", "3", "done"]);
});

Deno.test("a terminal with one row shows only the first line, and nothing scrolls", async () => {
  using terminal = new EmulatedTerminal({ columns: 40, rows: 1 });
  const area = new LiveArea(terminal);
  for (let i = 0; i < 5; i++) area.draw([`first ${i}`, `second ${i}`]);
  assert.deepEqual(await terminal.allRows(), ["first 4"]);
});

Deno.test("an unknown size defaults to 80 columns", () => {
  const area = new LiveArea({ columns: 0, rows: 0, write: () => {} });
  assert.equal(area.columns, 80);
});

Deno.test("nothing is written without a change", async () => {
  using terminal = new EmulatedTerminal({ columns: 40, rows: 10 });
  const area = new LiveArea(terminal);
  area.clear();
  area.draw(["a", "b"]);
  area.draw(["a", "b"]);
  assert.equal(terminal.writes.length, 1);
  await terminal.resize(50);
  area.draw(["a", "b"]);
  assert.equal(terminal.writes.length, 2, "the terminal may have moved the lines");
  area.clear();
  area.clear();
  assert.equal(terminal.writes.length, 3);
});

Deno.test("every write leaves the terminal in its initial mode", async () => {
  using terminal = new EmulatedTerminal({ columns: 40, rows: 10 });
  const area = new LiveArea(terminal);
  area.draw(["a", "b"]);
  area.above("note");
  area.draw(["c", "d"]);
  await terminal.resize(30);
  area.draw(["c", "d"]);
  area.clear();
  for (const text of terminal.writes) {
    const modes = new Map<string, string>();
    // deno-lint-ignore no-control-regex
    for (const [, mode, set] of text.matchAll(/\x1b\[\?(\d+)([hl])/g)) modes.set(mode, set);
    // Wrapping is on, nothing is held back, and the cursor was never hidden.
    assert.deepEqual([modes.get("7") ?? "h", modes.get("2026") ?? "l"], ["h", "l"]);
    assert.equal(modes.get("25"), undefined);
    // tmux moves rows to its history if they are erased from the first column.
    assert.ok(!text.includes("\r\x1b[J"), JSON.stringify(text));
  }
});
