/** Tables in Markdown: widths, alignment, wide characters, and lines that only look like tables. */
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "fast-string-truncated-width";
import { MarkdownStream } from "../../../../commands/terminal/markdown/markdown_stream.ts";
import { render, shownText } from "../../../support/render_markdown.ts";

async function lines(markdown: string, columns?: number): Promise<string[]> {
  return (await shownText(markdown, { columns })).trimEnd().split("\n").map((line) =>
    line.trimEnd()
  );
}

const PRICES = "| Name | Price | Note |\n|:-----|------:|:----:|\n";

Deno.test("columns are aligned, also with wide characters and styles", async () => {
  const table = `${PRICES}| 日本語 | 1.50 | **b** |\n| 👨‍👩‍👧 e\u0301 | \`100\` | a \\| b |\n`;
  assert.deepEqual(
    await lines(table),
    [
      "Name   │ Price │ Note",
      "───────┼───────┼──────",
      "日本語 │  1.50 │   b",
      "👨‍👩‍👧 e\u0301   │   100 │ a | b",
    ].map((line) => line),
  );
  assert.ok((await render(table)).includes("\x1b[1mName\x1b[22m"));
});

Deno.test("wide cells wrap at the width of the terminal", async () => {
  const table = "| Key | Text |\n|---|---|\n| a | one two three four five |\n| b | x<br>y |\n";
  assert.deepEqual(await lines(table, 20), [
    "Key │ Text",
    "────┼───────────────",
    "a   │ one two three",
    "    │ four five",
    "────┼───────────────",
    "b   │ x",
    "    │ y",
  ]);
  const wide = "| 键 | 说明 |\n|---|---|\n| a | 背压是一种让快的一方等慢的一方的办法 |\n";
  for (const columns of [12, 16, 24, 60]) {
    for (const line of await lines(wide, columns)) {
      assert.ok(stringWidth(line).width <= columns, line);
    }
  }
});

Deno.test("on a terminal that is too narrow, each row is a list of its cells", async () => {
  const table = `${PRICES}| a rather long name | 1,000.00 | something |\n| b | 2 | |\n`;
  assert.deepEqual(await lines(table, 18), [
    "Name: a rather",
    "long name",
    "Price: 1,000.00",
    "Note: something",
    "──────────",
    "Name: b",
    "Price: 2",
  ]);
});

Deno.test("missing and additional cells are shown", async () => {
  const table = "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\n| `x | y` | 2 |\n|||\n";
  assert.deepEqual(await lines(table), [
    "a     │ b",
    "──────┼──────",
    "1     │",
    "1     │ 2 | 3",
    "x | y │ 2",
    "      │",
  ]);
});

Deno.test("tables can be in quotes and list items, and next to text", async () => {
  assert.deepEqual(await lines("text\n| a | b |\n|-|-|\n| c | d |\nmore"), [
    "text",
    "",
    "a │ b",
    "──┼──",
    "c │ d",
    "",
    "more",
  ]);
  assert.deepEqual(await lines("> | a | b |\n> |-|-|\n> | c | d |\n>\n> x\n"), [
    "│ a │ b",
    "│ ──┼──",
    "│ c │ d",
    "│",
    "│ x",
  ]);
  assert.deepEqual(await lines("1. x\n\n   | a | b |\n   |-|-|\n   | c | d |\n2. y"), [
    "1. x",
    "",
    "   a │ b",
    "   ──┼──",
    "   c │ d",
    "",
    "2. y",
  ]);
});

Deno.test("lines that only look like a table are shown as they are", async () => {
  assert.deepEqual(await lines("| a | *b* |\nno table"), ["| a | b |", "no table"]);
  assert.deepEqual(await lines("| a | b |"), ["| a | b |"]);
  assert.deepEqual(await lines("| a | b |\n|--"), ["a │ b", "──┼──"]);
  assert.deepEqual(await lines("| a | b |\n\n|--|--|"), ["| a | b |", "", "|--|--|"]);
  assert.deepEqual(await lines("|x| is the absolute value\nof x"), [
    "|x| is the absolute value",
    "of x",
  ]);
});

Deno.test("a table is shown when it ends, and a very long one while it arrives", async () => {
  const stream = new MarkdownStream();
  assert.equal(await stream.write("| a | b |\n|-|-|\n| c | d |\n"), "");
  assert.equal(stream.bufferedRows, 2);
  assert.ok(stripVTControlCharacters(await stream.write("\nx")).endsWith("c │ d\n\nx"));
  assert.equal(stream.bufferedRows, 0);
  const long = new MarkdownStream();
  await long.write("| a | b |\n|-|-|\n");
  let shown = "";
  for (let i = 0; i < 300; i++) shown += await long.write(`| c${i} | d |\n`);
  assert.match(shown, /c0 .*│[^]*c299/);
});
