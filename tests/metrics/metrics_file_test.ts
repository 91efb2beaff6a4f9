import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { batchNameOf, checkMetricsFile, MetricsFile } from "../../lib/metrics/metrics_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TEXT = "# HELP flexllm_batch_running 1 while the batch runs.\n";

/** A file whose timer and text the test controls. */
function openFile(path: string) {
  const warnings: string[] = [];
  const state = { text: `${TEXT}1\n`, tick: () => {}, isStopped: false };
  const file = new MetricsFile(path, {
    read: () => Promise.resolve(state.text),
    onWarning: (text) => warnings.push(text),
    every(_ms, run) {
      state.tick = run;
      return () => state.isStopped = true;
    },
  });
  return { file, warnings, state };
}

Deno.test("is written at the start, regularly, and at the end", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.prom");
  const { file, state, warnings } = openFile(path);
  await file.update();
  assert.equal(readFileSync(path, "utf8"), `${TEXT}1\n`);
  state.text = `${TEXT}2\n`;
  state.tick();
  await file.update();
  assert.equal(readFileSync(path, "utf8"), `${TEXT}2\n`);
  state.text = `${TEXT}3\n`;
  await file[Symbol.asyncDispose]();
  assert.equal(readFileSync(path, "utf8"), `${TEXT}3\n`);
  assert.ok(state.isStopped);
  assert.deepEqual(warnings, []);
  assert.deepEqual(readdirSync(folder.path), ["a.prom"]);
});

Deno.test("can be read by an exporter of another user", {
  ignore: process.platform === "win32",
}, async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.prom");
  const { file } = openFile(path);
  await file[Symbol.asyncDispose]();
  assert.equal(statSync(path).mode & 0o777, 0o644);
});

Deno.test("a link stays a link", { ignore: process.platform === "win32" }, async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "real"));
  const [link, target] = [join(folder.path, "a.prom"), join(folder.path, "real", "b.prom")];
  writeFileSync(target, "");
  symlinkSync(target, link);
  const { file } = openFile(link);
  await file[Symbol.asyncDispose]();
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(target, "utf8"), `${TEXT}1\n`);
});

Deno.test("a folder that does not exist gives one warning, until it exists", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "missing", "a.prom");
  const { file, warnings } = openFile(path);
  await file.update();
  await file.update();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^cannot write metrics to .*a\.prom: its folder does not exist$/);
  mkdirSync(join(folder.path, "missing"));
  await file[Symbol.asyncDispose]();
  assert.equal(readFileSync(path, "utf8"), `${TEXT}1\n`);
});

Deno.test("metrics that cannot be read give a warning", async () => {
  using folder = temporaryFolder();
  const warnings: string[] = [];
  const file = new MetricsFile(join(folder.path, "a.prom"), {
    read: () => Promise.reject(new Error("no library")),
    onWarning: (text) => warnings.push(text),
    every: () => () => {},
  });
  await file[Symbol.asyncDispose]();
  assert.equal(warnings.length, 1);
  assert.deepEqual(readdirSync(folder.path), []);
});

Deno.test("only new, empty and earlier metrics files can be written", () => {
  using folder = temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const check = (name: string) => checkMetricsFile(path(name), "--metrics-file");
  check("new.prom");
  check(join("missing", "a.prom"));
  writeFileSync(path("empty.prom"), "");
  check("empty.prom");
  writeFileSync(path("old.prom"), TEXT);
  check("old.prom");
  writeFileSync(path("apt.prom"), "# HELP apt_upgrades_pending Packages.\n");
  assert.throws(() => check("apt.prom"), /--metrics-file: .*apt\.prom is not a metrics file/);
  writeFileSync(path("short.prom"), "x");
  assert.throws(() => check("short.prom"), /is not a metrics file of flexllm/);
  mkdirSync(path("folder.prom"));
  assert.throws(() => check("folder.prom"), /folder\.prom is not a file/);
  assert.throws(() => check("answers.jsonl"), /must end in \.prom, got .*answers\.jsonl/);
  assert.throws(() => check(".prom"), /must end in \.prom/);
});

Deno.test("a file that cannot be read is left to the first update", {
  ignore: process.platform === "win32",
}, () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.prom");
  // A link to itself: even root cannot read it.
  symlinkSync("a.prom", path);
  checkMetricsFile(path, "--metrics-file");
});

Deno.test("the label is the name of the file", () => {
  assert.equal(batchNameOf("/var/lib/node_exporter/translate.de.prom"), "translate.de");
});
