/** A log file is bounded, survives a full disk and moved files, and loses no line without saying so. */
import assert from "node:assert/strict";
import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { LogFile } from "../../lib/log/log_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const LINE = "x".repeat(99);

Deno.test("lines are appended in order, to a file of the owner only", () => {
  using folder = temporaryFolder();
  const path = folder.write("log", "old\n");
  const log = new LogFile(path, { maxSize: 1e6 });
  log.add("one");
  log.add("two");
  assert.equal(folder.read("log"), "old\n", "not on the path of the call");
  log.flush();
  assert.equal(folder.read("log"), "old\none\ntwo\n");
  log.add("three");
  log.close();
  assert.equal(folder.read("log"), "old\none\ntwo\nthree\n");
  const other = new LogFile(folder.file("new"), { maxSize: 1e6 });
  other.close();
  assert.equal(statSync(folder.file("new")).mode & 0o777, 0o600);
});

Deno.test("many lines are written without waiting for the timer", () => {
  using folder = temporaryFolder();
  const log = new LogFile(folder.file("log"), { maxSize: 1e9 });
  for (let i = 0; i < 1000; i++) log.add(LINE);
  const { size } = statSync(folder.file("log"));
  assert.ok(size >= 65_536 && size <= 100_000, `${size}`);
  log.close();
  assert.equal(statSync(folder.file("log")).size, 100_000);
});

Deno.test("a full file is renamed, and there are never more than two", () => {
  using folder = temporaryFolder();
  const log = new LogFile(folder.file("log"), { maxSize: 1000 });
  for (let i = 0; i < 35; i++) {
    log.add(`${i} ${LINE}`.slice(0, 99));
    log.flush();
  }
  log.close();
  const [newest, older] = ["log", "log.1"].map((name) => folder.read(name).trimEnd().split("\n"));
  assert.deepEqual([newest.length, older.length], [5, 10]);
  assert.match(newest.at(-1)!, /^34 /);
  assert.match(older[0], /^20 /);
  assert.equal(existsSync(folder.file("log.2")), false);
});

Deno.test("a log that is moved or removed is created again", () => {
  using folder = temporaryFolder();
  const path = folder.file("log");
  const log = new LogFile(path, { maxSize: 1e6 });
  log.add("one");
  log.flush();
  renameSync(path, folder.file("moved"));
  log.add("two");
  log.flush();
  rmSync(path);
  log.add("three");
  log.close();
  assert.equal(folder.read("moved"), "one\n");
  assert.equal(folder.read("log"), "three\n");
});

Deno.test("two processes share a log: one follows the rotation of the other", () => {
  using folder = temporaryFolder();
  const logs = [1, 2].map(() => new LogFile(folder.file("log"), { maxSize: 1000 }));
  for (let i = 0; i < 30; i++) {
    logs[i % 2].add(`${i} ${LINE}`.slice(0, 99));
    logs[i % 2].flush();
  }
  for (const log of logs) log.close();
  const lines = ["log.1", "log"].flatMap((name) => folder.read(name).trimEnd().split("\n"));
  assert.deepEqual(lines.map((line) => parseInt(line)), lines.map((_, i) => i + 30 - lines.length));
  assert.equal(lines.length, 20);
});

Deno.test({
  name: "a full disk is one warning, and the lost lines are counted",
  ignore: !existsSync("/dev/full"),
  fn() {
    const warnings: string[] = [];
    const log = new LogFile("/dev/full", {
      maxSize: 1e6,
      onWarning: (text) => warnings.push(text),
    });
    for (let i = 0; i < 3; i++) {
      log.add(`${i}`);
      log.flush();
    }
    log.close();
    assert.deepEqual(warnings, [
      "cannot write the log file /dev/full: the disk is full",
      "lines of the log that could not be written to /dev/full: 3",
    ]);
  },
});

Deno.test("a file that cannot be opened is an error at once", () => {
  using folder = temporaryFolder();
  const open = (path: string) => () => new LogFile(path, { maxSize: 1e6 });
  assert.throws(open(folder.path), { message: /^cannot write the log file .*: it is a folder/ });
  assert.throws(open(folder.file("a/b")), { message: /: its folder does not exist$/ });
});
