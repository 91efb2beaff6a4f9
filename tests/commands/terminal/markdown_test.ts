/** Rendering Markdown for a terminal: styles, wrapping, and chunked input. */
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import stringWidth from "fast-string-truncated-width";
import { MarkdownStream } from "../../../commands/terminal/markdown/markdown_stream.ts";

/** Renders Markdown that arrives in pieces of `size` characters. */
function render(markdown: string, size = markdown.length, columns = Infinity): string {
  const stream = new MarkdownStream(() => columns);
  let shown = "";
  for (let i = 0; i < markdown.length; i += size) {
    shown += stream.write(markdown.slice(i, i + size));
  }
  return shown + stream.end();
}

function shownText(markdown: string): string {
  return stripVTControlCharacters(render(markdown));
}

Deno.test("Markdown is rendered", () => {
  const cases: [string, string][] = [
    ["## A *title*", "A title"],
    ["**b** __b__ *i* _i_ ***bi*** ~~s~~ `c` ``c`c``", "b b i i bi s c c`c"],
    ["- one\n  * two\n+ three\n- [ ] a\n- [x] b", "• one\n  • two\n• three\n☐ a\n☑ b"],
    ["1. one\n2) two", "1. one\n2) two"],
    ["> quote\n>> deeper", "│ quote\n│ │ deeper"],
    ["[text](http://a.b/c) and [x] and a[0](1)", "text (http://a.b/c) and [x] and a0 (1)"],
    ["| a | **b** |\n|---|---|", "| a | **b** |\n|---|---|"],
    ["```py\n# no *title*\n\n- x\n``\n```\n*i*", "```py\n# no *title*\n\n- x\n``\n```\ni"],
    ["~~~\n```\n~~~\n# t", "~~~\n```\n~~~\nt"],
    ["\\*not\\* it", "*not* it"],
    ["***\n---", `${"─".repeat(40)}\n${"─".repeat(40)}`],
  ];
  for (const [markdown, expected] of cases) assert.equal(shownText(markdown), expected);
  assert.equal(render("a **b** c"), "a \x1b[1mb\x1b[22m c");
  assert.equal(render("`x`"), "\x1b[36mx\x1b[39m");
});

Deno.test("text that only resembles Markdown is unchanged", () => {
  for (
    const text of [
      "5 * 3 = 15 and 2 * 2",
      "snake_case_name and __init__x",
      "call f(**kwargs)",
      "a ` alone",
      "\\(x^2\\) and $5",
      "#hashtag",
      "-5 degrees",
      "--flag",
      "1.5 million",
      "~/folder and ~ 5",
      "**never closed",
      "array[0] [",
    ]
  ) assert.equal(render(text), text);
});

Deno.test("rendering does not depend on how the text is split, and holds back no text", () => {
  const piece = fc.constantFrom(
    ..."*_`~#->|[]()\\ \n",
    ...["a", "word ", "1. ", "```", "**", "- [ ] ", "\n\n", "http://x.y"],
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(6), (pieces, size) => {
    const markdown = pieces.join("");
    const whole = stripVTControlCharacters(render(markdown));
    assert.equal(stripVTControlCharacters(render(markdown, size + 1)), whole);
  }));
  const stream = new MarkdownStream();
  assert.equal(
    stream.write("A plain sentence, not yet at its end"),
    "A plain sentence, not yet at its end",
  );
  assert.equal(stripVTControlCharacters(stream.write(" **bold** and")), " bold and");
});

Deno.test("lines wrap between words with the indent of their item or quote, except in code and tables", () => {
  const cases: [string, string][] = [
    ["one two three four five", "one two three four\nfive"],
    ["exactly twenty chars", "exactly twenty chars"],
    ["a **bold word and more**", "a bold word and more"],
    ["and **bold words** of it", "and bold words of it"],
    ["so **bold words** of it go on", "so bold words of it\ngo on"],
    ["- an item that is too long", "• an item that is\n  too long"],
    ["10. an item that is long", "10. an item that is\n    long"],
    ["> a quote that is too long", "│ a quote that is\n│ too long"],
    ["```\ncode that is as long as it is\n```", "```\ncode that is as long as it is\n```"],
    ["| a table | that is | wide |", "| a table | that is | wide |"],
    ["http://a.b/a-very-long-address x", "http://a.b/a-very-long-address x"],
    ["看 https://a.b/c/d 看看看看看", "看 https://a.b/c/d\n看看看看看"],
    ["背压是一种让快的一方等慢的一方的办法", "背压是一种让快的一方\n等慢的一方的办法"],
  ];
  for (const [markdown, expected] of cases) {
    assert.equal(stripVTControlCharacters(render(markdown, markdown.length, 20)), expected);
  }
});

Deno.test("wrapped lines fit the width and keep all text, however it is split", () => {
  const word = fc.constantFrom("a", "word", "**bold**", "`code`", "a-longer-word", "背压", "\n");
  const width = fc.constantFrom(20, 40);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.nat(6), width, (words, size, width) => {
      const markdown = words.join(" ");
      const whole = stripVTControlCharacters(render(markdown, markdown.length, width));
      assert.equal(stripVTControlCharacters(render(markdown, size + 1, width)), whole);
      const letters = (text: string) => text.replace(/\s/g, "");
      assert.equal(letters(whole), letters(shownText(markdown)));
      for (const line of whole.split("\n")) assert.ok(stringWidth(line).width <= width, line);
    }),
  );
  const stream = new MarkdownStream(() => 80);
  assert.equal(
    stream.write("Half a sent"),
    "Half a sent",
    "nothing is held back far from the right margin",
  );
});

Deno.test("text that contains only markers is rendered in linear time", () => {
  // In quadratic time, this would take minutes.
  for (const marker of ["*a ", "`", "[", "**a", "_a ", "~~x"]) render(marker.repeat(20_000));
});
