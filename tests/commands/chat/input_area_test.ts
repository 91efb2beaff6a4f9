/** The input line of a chat: its layout, and its rows on a terminal that is resized. */
import assert from "node:assert/strict";
import { InputArea, reflowOf } from "../../../commands/chat/editor/input_area.ts";
import {
  layOut,
  nextCharacter,
  previousCharacter,
} from "../../../commands/chat/editor/input_layout.ts";
import { EmulatedTerminal } from "../../support/emulated_terminal.ts";

const PROMPT = "\x1b[1m>\x1b[22m ";
const FAMILY = "👨‍👩‍👧";

/** A terminal with lines above an input. */
function screen(columns = 20, rows = 10) {
  const terminal = new EmulatedTerminal({ columns, rows });
  terminal.write("above one\nabove two\n");
  return { terminal, area: new InputArea(terminal, "xterm.js") };
}

Deno.test("a line is wrapped before the last column, and wide characters are not split", () => {
  const { rows, widths, cursor } = layOut(PROMPT, "日本語日本語", 6, 8);
  assert.deepEqual(rows, [`${PROMPT}日本`, "語日本", "語"]);
  assert.deepEqual(widths, [6, 6, 2]);
  assert.deepEqual(cursor, { row: 2, column: 2 });
  assert.deepEqual(layOut(PROMPT, "日本語日本語", 2, 8).cursor, { row: 1, column: 0 });
  assert.deepEqual(layOut("", `ab${FAMILY}c`, 2, 5).rows, [`ab${FAMILY}`, "c"]);
  // A cursor inside an emoji is shown at its start.
  assert.deepEqual(layOut("", `ab${FAMILY}c`, 4, 5).cursor, { row: 0, column: 2 });
  assert.deepEqual(layOut("", "", 0, 5), {
    rows: [""],
    widths: [0],
    cursor: { row: 0, column: 0 },
  });
  assert.deepEqual(layOut("", "a\x1b[2Jb\u202e", 0, 80).rows, ["a␛[2Jb�"]);
  assert.equal(layOut("", "x".repeat(10_000), 10_000, 81).rows.length, 125);
});

Deno.test("characters of several code points are one step of the cursor", () => {
  const line = `a${FAMILY}é`;
  assert.equal(nextCharacter(line, 1), 1 + FAMILY.length);
  assert.equal(previousCharacter(line, 1 + FAMILY.length), 1);
  assert.equal(previousCharacter(line, line.length), 1 + FAMILY.length);
  assert.equal(nextCharacter(line, line.length), line.length);
  assert.equal(previousCharacter(line, 0), 0);
});

Deno.test("an input is drawn over several rows, with the cursor at the edited character", async () => {
  const { terminal, area } = screen();
  using _ = terminal;
  const line = "one two three four five six";
  area.draw({ prompt: PROMPT, line, cursor: 3 });
  assert.deepEqual(await terminal.allRows(), [
    "above one",
    "above two",
    "> one two three fou",
    "r five six",
  ]);
  assert.deepEqual(await terminal.cursor(), [2, 5]);
  area.draw({ prompt: PROMPT, line: "short", cursor: 5 });
  assert.deepEqual(await terminal.allRows(), ["above one", "above two", "> short"]);
  assert.deepEqual(await terminal.cursor(), [2, 7]);
  const { length } = terminal.writes;
  area.draw({ prompt: PROMPT, line: "short", cursor: 5 });
  assert.equal(terminal.writes.length, length, "an unchanged input is not drawn again");
  area.above("a note");
  assert.deepEqual((await terminal.allRows()).slice(2), ["a note", "> short"]);
  area.erase();
  assert.deepEqual(await terminal.allRows(), ["above one", "above two", "a note"]);
  area.draw({ prompt: PROMPT, line: "again", cursor: 0 });
  area.finish({ prompt: PROMPT, line: "again", cursor: 0 });
  assert.deepEqual((await terminal.allRows()).slice(2), ["a note", "> again"]);
  assert.deepEqual(await terminal.cursor(), [4, 0]);
});

for (const cursor of [0, 10, 25, 60, 94]) {
  Deno.test(`resizes leave the lines above unchanged (cursor at ${cursor})`, async () => {
    const { terminal, area } = screen(40, 20);
    using _ = terminal;
    const line = "some words of a question ".repeat(3) + "日本語のテキスト ok";
    const input = { prompt: PROMPT, line, cursor: Math.min(cursor, line.length) };
    area.draw(input);
    for (const columns of [60, 30, 25, 31, 18, 50, 24, 40]) {
      await terminal.resize(columns);
      area.resized();
      const rows = await terminal.allRows();
      assert.deepEqual(rows.slice(0, 2), ["above one", "above two"], `${columns} columns`);
      const { rows: expected } = layOut("> ", line, 0, columns);
      assert.deepEqual(rows.slice(2), expected.map((row) => row.trimEnd()), `${columns} columns`);
    }
    area.finish(input);
    const lines = await terminal.lines();
    // Where a wide character does not fit at the end of a row, the emulator leaves a cell empty.
    const joined = lines.map((line) => line.replace("日 本", "日本"));
    assert.deepEqual(joined, ["above one", "above two", `> ${line}`]);
  });
}

Deno.test("resizes of a terminal that truncates rows leave the lines above unchanged", async () => {
  using terminal = new EmulatedTerminal({ columns: 40, rows: 20 });
  // xterm.js does not rewrap the alternate screen.
  terminal.write("\x1b[?1049h\x1b[Habove one\nabove two\n");
  const area = new InputArea(terminal, "none");
  const line = "some words of a question ".repeat(3);
  area.draw({ prompt: PROMPT, line, cursor: 60 });
  for (const columns of [60, 30, 18, 50]) {
    await terminal.resize(columns);
    area.resized();
    const { rows } = layOut("> ", line, 0, columns);
    const expected = ["above one", "above two", ...rows.map((row) => row.trimEnd())];
    // Cells outside the screen keep their content.
    const visible = (await terminal.allRows()).map((row) => row.slice(0, columns).trimEnd());
    assert.deepEqual(visible, expected, `${columns} columns`);
  }
});

Deno.test("an input that is taller than the screen shows the rows around the cursor", async () => {
  const { terminal, area } = screen(11, 4);
  using _ = terminal;
  const line = Array.from({ length: 8 }, (_, i) => String(i).repeat(10)).join("");
  area.draw({ prompt: "", line, cursor: line.length });
  const bottom = async () => (await terminal.allRows()).slice(-4).map(([digit]) => digit).join("");
  assert.equal(await bottom(), "4567");
  area.draw({ prompt: "", line, cursor: 35 });
  assert.equal(await bottom(), "3456");
  area.draw({ prompt: "", line, cursor: 0 });
  assert.equal(await bottom(), "0123");
  area.draw({ prompt: "", line: "x", cursor: 1 });
  assert.equal((await terminal.allRows()).at(-1), "x");
});

Deno.test("the terminal decides which rows are rewrapped", () => {
  assert.equal(reflowOf({ TERM: "xterm-256color" }), "all");
  assert.equal(reflowOf({ TERM_PROGRAM: "vscode" }), "xterm.js");
  assert.equal(reflowOf({ TERM_PROGRAM: "vscode", TMUX: "/tmp/tmux,1,0" }), "all");
  assert.equal(reflowOf({ XTERM_VERSION: "XTerm(380)" }), "none");
  assert.equal(reflowOf({ TERM: "linux" }), "none");
});
