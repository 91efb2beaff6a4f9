import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import process from "node:process";
import { expandGlob } from "../../lib/files/glob.ts";
import { isGlob } from "../../lib/files/is_glob.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** A folder with these files; the names of those that match a pattern in it. */
function filesWith(names: readonly string[]) {
  const folder = temporaryFolder();
  for (const name of names) {
    const parts = name.split("/");
    mkdirSync(folder.file(parts.slice(0, -1).join("/") || "."), { recursive: true });
    folder.write(name, "x");
  }
  return {
    folder,
    match: (pattern: string) =>
      expandGlob(folder.file(pattern)).map((path) => path.slice(folder.path.length + 1)),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("patterns match like in a shell, sorted by path", () => {
  using files = filesWith([
    ...["b.png", "a.png", "B.png", "ü.png", "p (1).png", ".hidden.png", "a.txt"],
    ...["sub/c.png", "sub/deep/d.png", ".git/e.png", "[x]/f.png"],
  ]);
  const cases: [string, string[]][] = [
    ["*.png", ["B.png", "a.png", "b.png", "p (1).png", "ü.png"]],
    ["?.png", ["B.png", "a.png", "b.png", "ü.png"]],
    ["[ab].png", ["a.png", "b.png"]],
    ["[!ab].png", ["B.png", "ü.png"]],
    ["{a,b}.{png,txt}", ["a.png", "a.txt", "b.png"]],
    ["* (1).png", ["p (1).png"]],
    ["*/*.png", ["[x]/f.png", "sub/c.png"]],
    ["sub/**", ["sub/c.png", "sub/deep/d.png"]],
    ["**/d.png", ["sub/deep/d.png"]],
    [".*.png", [".hidden.png"]],
    ["*.gif", []],
    ["none/*", []],
    ["a.png/*", []],
  ];
  for (const [pattern, expected] of cases) {
    assert.deepEqual(files.match(pattern), expected, pattern);
  }
});

Deno.test("links to files match; ** does not follow links to folders", () => {
  if (process.platform === "win32") return;
  using files = filesWith(["real/a.png"]);
  const { folder } = files;
  symlinkSync("real/a.png", folder.file("link.png"));
  symlinkSync("none.png", folder.file("broken.png"));
  symlinkSync("real", folder.file("folder.png"));
  symlinkSync("..", folder.file("real/loop"));
  // The literal start of a pattern may be a link.
  assert.deepEqual(files.match("folder.png/**"), ["folder.png/a.png"]);
  assert.deepEqual(files.match("*.png"), ["link.png"]);
  assert.deepEqual(files.match("**"), ["link.png", "real/a.png"]);
  assert.deepEqual(files.match("folder.png/*"), ["folder.png/a.png"]);
});

Deno.test("a file that is named like a pattern is not one", () => {
  using files = filesWith(["b[1].py", "b1.py"]);
  const { folder } = files;
  assert.equal(isGlob(folder.file("b[1].py")), false);
  assert.equal(isGlob(folder.file("b[2].py")), true);
  for (const path of ["a.py", "a{b}.py", "a(1).py", "!a", "a[b"]) assert.equal(isGlob(path), false);
  for (const path of ["*", "a?", "{a,b}", "**/x", "[ab]c"]) assert.equal(isGlob(path), true);
});

Deno.test("names with line breaks match every kind of pattern", () => {
  if (process.platform === "win32") return;
  using files = filesWith(["d/a\nb.txt", "d/c\r.txt", "d/e.txt"]);
  for (const pattern of ["d/*", "d/*.txt", "d/**", "d/**/*", "**"]) {
    assert.deepEqual(files.match(pattern), ["d/a\nb.txt", "d/c\r.txt", "d/e.txt"], pattern);
  }
});
