/** Copying from a chat: which tools are used, and which code blocks are found. */
import assert from "node:assert/strict";
import { clipboardTools } from "../../../commands/chat/clipboard.ts";
import { splitWords } from "../../../commands/chat/slash_commands/attach.ts";
import { codeBlocks } from "../../../lib/conversations/code_blocks.ts";

Deno.test("the tools of the desktop are used, but not those of a remote machine", () => {
  const names = (platform: string, env: Record<string, string>) =>
    clipboardTools(platform, env).map(({ name }) => name);
  assert.deepEqual(names("darwin", {}), ["pbcopy"]);
  assert.deepEqual(names("win32", {}), ["clip"]);
  assert.deepEqual(names("linux", {}), []);
  assert.deepEqual(names("linux", { DISPLAY: ":0", WAYLAND_DISPLAY: "wayland-0" }), [
    "wl-copy",
    "xclip",
    "xsel",
  ]);
  assert.deepEqual(names("linux", { WSL_DISTRO_NAME: "Debian" }), ["clip.exe"]);
  assert.deepEqual(names("linux", { TERMUX_VERSION: "0.118" }), ["termux-clipboard-set"]);
  assert.deepEqual(names("linux", { DISPLAY: ":10", SSH_CONNECTION: "a b c d", TMUX: "x" }), [
    "tmux",
  ]);
  assert.deepEqual(names("darwin", { SSH_TTY: "/dev/pts/1" }), []);
});

Deno.test("Windows gets UTF-16 with a byte order mark", () => {
  const [{ encode }] = clipboardTools("win32", {});
  assert.deepEqual([...encode!("é")], [0xff, 0xfe, 0xe9, 0x00]);
});

Deno.test("code blocks are found, also in lists, with other fences and without an end", () => {
  const markdown = [
    "Text `inline`",
    "```ts",
    "const a = `b`;",
    "",
    "```",
    "1. item",
    "   ~~~~",
    "   indented",
    "     more",
    "   ~~~",
    "   ~~~~",
    "``` not a `fence`",
    "> ```",
    "> quoted",
    "> ```",
    "````md",
    "```",
    "inner",
  ].join("\n");
  assert.deepEqual(codeBlocks(markdown), [
    "const a = `b`;\n",
    "indented\n  more\n~~~",
    "quoted",
    "```\ninner",
  ]);
  assert.deepEqual(codeBlocks("no code"), []);
});

Deno.test("an argument is split as a shell does", () => {
  const cases: [string, string[]][] = [
    ["a.txt b.txt", ["a.txt", "b.txt"]],
    [`"two words.txt" 'it is.txt' x`, ["two words.txt", "it is.txt", "x"]],
    ["two\\ words.txt b", ["two words.txt", "b"]],
    ["C:\\notes\\a.txt", ["C:\\notes\\a.txt"]],
    ["it's.txt", ["it's.txt"]],
    ["https://example.com/a?b=c&d *.png", ["https://example.com/a?b=c&d", "*.png"]],
    ["", []],
  ];
  for (const [argument, words] of cases) assert.deepEqual(splitWords(argument), words, argument);
});
