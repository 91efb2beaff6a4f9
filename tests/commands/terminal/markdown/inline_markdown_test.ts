/** Emphasis, code, links, entities and formulas within lines. */
import assert from "node:assert/strict";
import { printable } from "../../../../commands/terminal/sanitize.ts";
import { render, shownText } from "../../../support/render_markdown.ts";

Deno.test("spans are rendered", async () => {
  const cases: [string, string][] = [
    ["**b** __b__ *i* _i_ ***bi*** ~~s~~ `c` ``c`c`` `` ` ``", "b b i i bi s c c`c `"],
    ["**a *b* c** and **a _b_**c", "a b c and a bc"],
    ["**注意：**这是", "注意：这是"],
    ["\\*not\\* \\# \\_ \\` \\\\ it", "*not* # _ ` \\ it"],
    ["[text](http://a.b/c) and [x] and a[0](1)", "text (http://a.b/c) and [x] and a0 (1)"],
    ["[**b**](<http://a.b/c d> 'title')", "b (http://a.b/c d)"],
    ["[a](https://en.wikipedia.org/wiki/A_(b))", "a (https://en.wikipedia.org/wiki/A_(b))"],
    ["![alt](http://a.b/c.png) ![](x.png)", "[image: alt] (http://a.b/c.png) [image] (x.png)"],
    ["<https://a.b/_c_> <me@a.b> https://a.b/_c_d_.", "https://a.b/_c_ me@a.b https://a.b/_c_d_."],
    ["&lt;b&gt; &amp; &eacute; &#x263A; &nosuch; &", "<b> & é ☺ &nosuch; &"],
    ["a[^1] and [1]: b", "a[^1] and [1]: b"],
    ["a<br>b<br/>c", "a\nb\nc"],
  ];
  for (const [markdown, expected] of cases) assert.equal(await shownText(markdown), expected);
  assert.equal(await render("a **b** c"), "a \x1b[1mb\x1b[22m c");
  assert.equal(await render("`x`"), "\x1b[36mx\x1b[39m");
  assert.equal(await render("***x***"), "\x1b[1;3mx\x1b[22;23m");
});

Deno.test("text that only resembles Markdown is unchanged", async () => {
  for (
    const text of [
      "5 * 3 = 15 and 2 * 2 and 2*3*4 and 2**3",
      "snake_case_name and __init__x and __init__.py and __init__()",
      "call f(**kwargs)",
      "a ` alone",
      "\\(x^2 * y * z\\) and $a_1 * b * c$ and $5 and $6",
      "\\[ a_1 * b_2 * c \\]",
      "#hashtag",
      "-5 degrees",
      "--flag",
      "1.5 million",
      "~/folder and ~ 5",
      "**never closed",
      "array[0] [",
      "a < b > c <T> </div>",
      "AT&T & a&b;c",
      "| a pipe",
      "a | b",
      "--- | ---",
      "10:30|x",
    ]
  ) assert.equal((await render(text)).trimEnd(), text);
});

Deno.test("links become hyperlinks where the terminal has them", async () => {
  const features = { styles: true, links: true };
  const link = (url: string, text: string, id = 1) =>
    `\x1b[4m\x1b]8;id=flexllm-${id};${url}\x1b\\${text}\x1b]8;;\x1b\\\x1b[24m`;
  assert.equal(await render("[a](http://b.c)", { features }), link("http://b.c/", "a"));
  assert.equal(await render("<me@a.b>", { features }), link("mailto:me@a.b", "me@a.b"));
  assert.equal(
    await render("http://b.c/ [b](http://b.c/)", { features }),
    `${link("http://b.c/", "http://b.c/")} ${link("http://b.c/", "b", 2)}`,
  );
  // Text that names another address cannot hide where the link leads.
  for (const text of ["https://bank.example", "www.bank.example/login", "bank.example"]) {
    assert.match(await shownText(`[${text}](http://b.c/)`, { features }), / \(http:\/\/b\.c\/\)$/);
  }
  assert.equal(await shownText("[b.cd](https://b.cd)", { features }), "b.cd");
  for (const target of ["javascript:alert(1)", "file:///etc/passwd", "other.md", "http://"]) {
    const shown = await render(`[a](${target})`, { features });
    assert.ok(!shown.includes("\x1b]8"), shown);
    assert.ok(shown.includes(target), shown);
  }
});

Deno.test("neither links nor entities can send control characters to the terminal", async () => {
  const features = { styles: true, links: true };
  const markdown =
    "[a](http://b.c/&#27;]0;x&#7;) &#27;[2J &#x9b;31m &#8238; [a](<http://b.c/\x07\x1b\\>) " +
    "<http://b.c/\x1b\\x> http://b.c/\x1b\\x [&#27;]8;;http://evil/](http://b.c/;x)";
  // As the view does with all text from models.
  const shown = await render(printable(markdown), { features });
  // Only our own sequences are left.
  // deno-lint-ignore no-control-regex
  const rest = shown.replace(/\x1b\[[\d;]*m|\x1b\]8;(?:id=flexllm-\d+;[!-~]+)?;?\x1b\\/g, "");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(rest, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
});
