/** Syntax colors of code blocks. */
import assert from "node:assert/strict";
import { findLanguage } from "../../../../commands/terminal/markdown/languages.ts";
import { loadHighlighter } from "../../../../commands/terminal/markdown/highlight.ts";
import { render, shownText } from "../../../support/render_markdown.ts";

Deno.test("code is colored line by line, with strings and comments over several lines", async () => {
  const highlight = (await loadHighlighter("py"))!;
  const text = (line: string) =>
    highlight(line).reduce<string[]>((parts, { text, style }) => {
      const isSame = parts.at(-1)?.startsWith(`${style}:`);
      return isSame ? [...parts.slice(0, -1), parts.at(-1) + text] : [...parts, `${style}:${text}`];
    }, []);
  assert.deepEqual(text("def f(x):"), ["35:def", ": ", "94:f", ":(x):"]);
  assert.deepEqual(text('    """One'), [":    ", '32:"""One']);
  assert.deepEqual(text("    two <&>"), ["32:    two <&>"]);
  assert.deepEqual(text('    """'), ['32:    """']);
  assert.deepEqual(text("    return 1  # end"), [
    ":    ",
    "35:return",
    ": ",
    "33:1",
    ":  ",
    "2:# end",
  ]);
});

Deno.test("every language is loaded by its names, and unknown ones are not colored", async () => {
  const names = [
    "js",
    "TSX",
    "c++",
    "html",
    "sh",
    "dockerfile",
    "toml",
    "yml",
    "jsonc",
    "f#",
    "objective-c++",
  ];
  for (const name of names) assert.ok(await loadHighlighter(name), name);
  assert.equal(await loadHighlighter("nosuchlanguage"), undefined);
  assert.equal(findLanguage("constructor"), undefined);
  assert.equal(await shownText("```js\nconstructor() {}\n```"), "  constructor() {}\n");
  assert.equal(findLanguage(""), undefined);
  const html = await render("```html\n<script>let a = 1;</script>\n```");
  assert.ok(html.includes("\x1b[35mlet"), html);
  for (const fence of ["```{python}", "```python title=x", "``` python", "~~~python"]) {
    const shown = await render(`${fence}\nx = 1\n${fence.slice(0, 3)}`);
    assert.ok(shown.includes("\x1b[33m1"), shown);
  }
});
