/** Rendering Markdown for a terminal: blocks, wrapping, and chunked input. */
import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "fast-string-truncated-width";
import { MarkdownStream } from "../../../../commands/terminal/markdown/markdown_stream.ts";
import { render, shownText } from "../../../support/render_markdown.ts";

async function check(cases: [markdown: string, expected: string][], columns?: number) {
  for (const [markdown, expected] of cases) {
    const lines = (await shownText(markdown, { columns })).split("\n");
    assert.equal(lines.map((line) => line.trimEnd()).join("\n").trimEnd(), expected, markdown);
  }
}

Deno.test("blocks of Markdown are rendered", async () => {
  const rule = "─".repeat(40);
  await check([
    ["## A *title* ##\ntext", "A title\ntext"],
    ["text\n# Title", "text\n\nTitle"],
    ["A title\n=====\ntext", "A title\n═══════\ntext"],
    ["A title\n---\ntext", "A title\n───────\ntext"],
    ["- one\n  * two\n+ three\n- [ ] a\n- [x] b", "• one\n  • two\n• three\n☐ a\n☑ b"],
    ["1. one\n2) two\n   more\nlazy", "1. one\n2) two\n   more\n   lazy"],
    ["- one\n\n  two\n\nthree", "• one\n\n  two\n\nthree"],
    ["> quote\n>> deeper", "│ quote\n│ │ deeper"],
    ["> a\n>\n> - b\n\n> c", "│ a\n│\n│ • b\n\n│ c"],
    ["***\n---", `${rule}\n\n${rule}`],
    ["\n\na\n\n\n\nb\n\n", "a\n\nb"],
    ["a  \nb\\\nc<br>d", "a\nb\nc\nd"],
    ["\tcode *x*\n\n- item", "  code *x*\n\n• item"],
    ["$$\na_1 * b * c\n$$\n*x*", "$$\na_1 * b * c\n$$\n\nx"],
    ["\\[\nx_1\n\n*never closed*", "\\[\nx_1\n\nnever closed"],
  ]);
});

Deno.test("code blocks are indented, without their fences", async () => {
  await check([
    [
      "text\n```py\n# no *title*\n\n- x\n``\n```\n*i*",
      "text\n\n  # no *title*\n\n  - x\n  ``\n\ni",
    ],
    ["~~~\n```\n~~~\n# t", "  ```\n\nt"],
    ["````md\n```\na\n```\n````", "  ```\n  a\n  ```"],
    ["1. a\n   ```\n   b\n     c\n   ```\n2. d", "1. a\n\n     b\n       c\n\n2. d"],
    ["- ```\n  a\n  ```", "•\n    a"],
    ["> ```js\n> let a;\n> ```\n> b", "│   let a;\n│\n│ b"],
    ["> ```\n> a\nb", "│   a\n\nb"],
    ["```\nnever closed", "  never closed"],
    ["```inline``` code", "inline code"],
    ["```nosuchlanguage\na\tb\n```", "  a   b"],
  ]);
  await check([
    ["```\n12345678901234567890\n```", "  123456789012345678\n↪ 90"],
    ["```py\n12345678901234567890\nx\n```", "  123456789012345678\n↪ 90\n  x"],
    ["> ```\n> 看看看看看看看看看\n> ```", "│   看看看看看看看看\n│ ↪ 看"],
  ], 20);
});

Deno.test("lines wrap between words with the indent of their item or quote", async () => {
  await check([
    ["one two three four five", "one two three four\nfive"],
    ["exactly twenty chars", "exactly twenty chars"],
    ["a **bold word and more**", "a bold word and more"],
    ["so **bold words** of it go on", "so bold words of it\ngo on"],
    ["- an item that is too long", "• an item that is\n  too long"],
    ["- a\n  - an item that is too long", "• a\n  • an item that is\n    too long"],
    ["10. an item that is long", "10. an item that is\n    long"],
    ["> a quote that is too long", "│ a quote that is\n│ too long"],
    ["> - a quoted item, too long", "│ • a quoted item,\n│   too long"],
    ["# a heading that is too long", "a heading that is\ntoo long"],
    ["http://a.b/a-very-long-address x", "http://a.b/a-very-long-address x"],
    ["a http://a.b/a-very-long-address", "a\nhttp://a.b/a-very-long-address"],
    ["看 https://a.b/c/d 看看看看看", "看 https://a.b/c/d\n看看看看看"],
    ["背压是一种让快的一方等慢的一方的办法", "背压是一种让快的一方\n等慢的一方的办法"],
    ["背压是一种让快的一方。等慢的", "背压是一种让快的一\n方。等慢的"],
    ["👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 e\u0301e\u0301", "👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧 👨‍👩‍👧\ne\u0301e\u0301"],
  ], 20);
});

Deno.test("a style ends with its line and starts again on the next", async () => {
  assert.equal(
    await render("so **bold words of it**", { columns: 14 }),
    "so \x1b[1mbold words\x1b[22m\n\x1b[1mof it\x1b[22m",
  );
  assert.ok((await render("thoughts **x**", { style: "2" })).startsWith("\x1b[2mthoughts"));
});

Deno.test("without styles, the layout stays and the markers are shown", async () => {
  const features = { styles: false, links: false };
  const source =
    "# T\n\n- **b** _i_ `c` ~~s~~\n\n```py\nx = 1\n```\n\n|a|b|\n|-|-|\n|*c*|d|\n\n[a](http://b.c/)";
  assert.equal(
    await render(source, { features }),
    "# T\n\n• **b** _i_ `c` ~~s~~\n\n  x = 1\n\na   │ b\n────┼──\n*c* │ d\n\na (http://b.c/)",
  );
});

const PIECES = [
  ..."*_`~#->|[]()\\!<&$ \n\n",
  ...[
    "a",
    "word ",
    "1. ",
    "```",
    "**",
    "- [ ] ",
    "\n\n",
    "http://x.y",
    "&amp;",
    "<br>",
    "---",
    "===",
  ],
  ...["\n| a | b |\n|---|:-:|\n", "| c", "> ", "\n```py\nx = '", "    ", "\t", "$$", "\\["],
  ..."._(.",
  ...["__a__", "看", "。", "👨", "\u200d", "👧", "\u0301", "1\ufe0f\u20e3", "🇩", "🇪", "é"],
];

Deno.test("rendering does not depend on how the text is split", async () => {
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 });
  const width = fc.constantFrom(Infinity, 12, 20, 60);
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.nat(6),
      width,
      fc.boolean(),
      async (pieces, size, columns, links) => {
        const options = { columns, features: { styles: true, links } };
        const markdown = pieces.join("");
        // Chunks don't divide surrogate pairs: the view joins them first.
        const stream = new MarkdownStream({ ...options, columns: () => columns });
        let shown = "";
        const characters = [...markdown];
        for (let i = 0; i < characters.length; i += size + 1) {
          shown += await stream.write(characters.slice(i, i + size + 1).join(""));
        }
        shown += await stream.end();
        assert.equal(visible(shown), visible(await render(markdown, options)));
      },
    ),
    { numRuns: 1000 },
  );
});

/** The text, with one style around each character, so that it doesn't matter where styles are repeated. */
function visible(shown: string): string {
  // deno-lint-ignore no-control-regex
  return shown.replace(/\x1b\[[\d;]*m|id=flexllm-\d+/g, "");
}

Deno.test("no word of the text is lost", async () => {
  const line = fc.constantFrom(
    "Word1 **word2** and `word3`",
    "- word1 [word2](http://word3.example)",
    "| word1 | word2 |",
    "|---|---|",
    "| `a | b` | word3 | word4 |",
    "# word1",
    "> word1 word2",
    "```py",
    "```",
    "    word1 = 'word2'",
    "$$",
    "word1 *word2",
    "===",
    "",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.constantFrom(12, 40, 100),
      async (lines, columns) => {
        const shown = await shownText(lines.join("\n"), { columns });
        const count = (text: string) => text.replace(/[\s↪│]/g, "").match(/word\d/gi)?.length ?? 0;
        assert.ok(count(shown) >= count(lines.join("\n")), shown);
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("wrapped lines fit the width and keep all text", async () => {
  const word = fc.constantFrom(
    "a",
    "word",
    "**bold**",
    "`code`",
    "a-longer-word",
    "背压",
    "😀",
    "\n",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 60 }),
      fc.constantFrom(20, 40),
      async (words, columns) => {
        const whole = await shownText(words.join(" "), { columns });
        const letters = (text: string) => text.replace(/\s/g, "");
        assert.equal(letters(whole), letters(await shownText(words.join(" "))));
        for (const line of whole.split("\n")) assert.ok(stringWidth(line).width <= columns, line);
      },
    ),
  );
});

Deno.test("text is shown as it arrives", async () => {
  const stream = new MarkdownStream({ columns: () => 80 });
  assert.equal(await stream.write("Half a sent"), "Half a sent");
  assert.equal(await stream.write("ence **bold"), "ence");
  assert.equal(await stream.write("**, *not"), " \x1b[1mbold\x1b[22m,");
  const code = new MarkdownStream({ columns: () => 80 });
  assert.equal(await code.write("```\nplain co"), "  plain co");
  assert.equal(await code.write("de\n```\n```py\nx = 1"), "de\n\n");
  assert.equal(await code.write("\n"), "  x = \x1b[33m1\x1b[39m\n");
});

Deno.test("a resize takes effect with the next line", async () => {
  let columns = 20;
  const stream = new MarkdownStream({ columns: () => columns });
  const before = await stream.write("one two three four five six seven\n");
  columns = 10;
  const after = await stream.write("one two three four\n");
  assert.equal(before + after, "one two three four\nfive six seven\none two\nthree four\n");
});

Deno.test("text that contains only markers is rendered in linear time", async () => {
  // In quadratic time, this would take minutes.
  for (
    const marker of [
      "*a ",
      "`",
      "[",
      "**a",
      "_a ",
      "~~x",
      "[a](b ",
      "<a",
      "&a",
      "$a",
      "| ",
      "https://a",
    ]
  ) {
    await render(marker.repeat(20_000));
  }
  await render("| a | b |\n|---|---|\n" + "| c | d |\n".repeat(5_000), { columns: 40 });
  await render("```py\n" + "x = '''a\n".repeat(2_000), { columns: 40 });
  for (const language of ["toml", "ini", "java", "typescript", "scss", "markdown"]) {
    await render(`\`\`\`${language}\n${"--a_[".repeat(20_000)}\n\`\`\`\n`);
  }
});

Deno.test("a line that stays undecided while it arrives is not read again with every chunk", async () => {
  for (const marker of ["\t", " ", ">", "> ", "- ", "*", "_", "| a "]) {
    const stream = new MarkdownStream();
    let shown = "";
    for (let i = 0; i < 8_000; i++) shown += await stream.write(marker.repeat(7));
    shown += await stream.write("\nend\n") + await stream.end();
    assert.match(shown, /end\n$/);
  }
});

Deno.test("a long answer in one chunk is rendered", async () => {
  for (const text of ["\\", "\u4f60", "&amp;", "a "]) {
    const shown = await render(text.repeat(200_000), { columns: 40 });
    assert.ok(shown.length >= 100_000, text);
  }
});
