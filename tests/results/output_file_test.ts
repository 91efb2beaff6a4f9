import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { OutputFile } from "../../lib/results/output_file.ts";

function inFolder(test: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "flexllm-"));
  try {
    test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(path: string, text: string): void {
  using file = new OutputFile(path, true);
  file.write(Buffer.from(text));
  file.complete();
}

Deno.test("a replaced file keeps its permissions", { ignore: process.platform === "win32" }, () => {
  inFolder((folder) => {
    const path = join(folder, "answers.csv");
    writeFileSync(path, "old");
    chmodSync(path, 0o600);
    write(path, "new");
    assert.equal(readFileSync(path, "utf8"), "new");
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

Deno.test("a link stays a link", { ignore: process.platform === "win32" }, () => {
  inFolder((folder) => {
    const [path, link] = [join(folder, "answers.csv"), join(folder, "link.csv")];
    writeFileSync(path, "old");
    symlinkSync(path, link);
    write(link, "new");
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(readFileSync(path, "utf8"), "new");
    assert.deepEqual(readdirSync(folder).sort(), ["answers.csv", "link.csv"]);
  });
});

Deno.test("an incomplete file leaves the old one", () => {
  inFolder((folder) => {
    const path = join(folder, "answers.csv");
    writeFileSync(path, "old");
    {
      using file = new OutputFile(path, true);
      file.write(Buffer.from("new"));
    }
    assert.equal(readFileSync(path, "utf8"), "old");
    assert.deepEqual(readdirSync(folder), ["answers.csv"]);
  });
});
