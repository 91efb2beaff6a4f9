import assert from "node:assert/strict";
import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isSameFile } from "../../lib/files/same_file.ts";

Deno.test("links name the same file", { ignore: process.platform === "win32" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flexllm-"));
  try {
    const [file, hard, soft, other, missing] = ["file", "hard", "soft", "other", "missing"]
      .map((name) => join(folder, name));
    writeFileSync(file, "");
    writeFileSync(other, "");
    linkSync(file, hard);
    symlinkSync(file, soft);
    for (const same of [file, hard, soft, join(folder, ".", "x", "..", "file")]) {
      assert.ok(isSameFile(file, same), same);
    }
    assert.ok(!isSameFile(file, other));
    assert.ok(!isSameFile(file, missing));
    assert.ok(isSameFile(missing, join(folder, "x", "..", "missing")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("a device is not compared", { ignore: process.platform === "win32" }, () => {
  assert.ok(!isSameFile("/dev/null", "/dev/null"));
});
