/**
 * `deno task screen` records docs/batch.svg: a real batch on a real terminal, against the mock server,
 * interrupted with Ctrl-C and resumed. Needs `script` of util-linux.
 */
import xterm from "@xterm/headless";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { startMockServer } from "../lib/mock/server.ts";
import { commandLine, ROOT } from "../tests/support/cli.ts";
import { KEYS, Pty } from "../tests/support/pty.ts";
import { temporaryFolder } from "../tests/support/temporary_folder.ts";
import { type Frame, recordingSvg, type Span } from "./screen_recording/svg.ts";

const COLUMNS = 96;
const ROWS = 20;
const COMMAND = "flexllm batch questions.jsonl -o answers.jsonl --budget 0.50 --max-tokens 300";

/** The spans of one row of the screen, each with one style. */
function spansOf(line: xterm.IBufferLine): Span[] {
  const spans: Span[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column)!;
    const text = cell.getChars() || " ";
    const color = cell.isFgPalette() ? cell.getFgColor() : undefined;
    const style = { color, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
    const last = spans.at(-1);
    if (
      last && last.color === color && last.bold === style.bold && last.dim === style.dim
    ) last.text += text;
    else spans.push({ text, ...style });
  }
  while (spans.length > 0 && spans.at(-1)!.text.trim() === "") spans.pop();
  const last = spans.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return spans;
}

/** Samples the screen of `pty` until `stop` is called. */
function startRecording(pty: Pty): { stop(): Promise<Frame[]> } {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const frames: Frame[] = [];
  const begun = performance.now();
  let written = 0;
  let isRecording = true;
  const sample = async () => {
    while (isRecording) {
      const news = pty.output.slice(written);
      written += news.length;
      await new Promise<void>((resolve) => terminal.write(news, resolve));
      const { active } = terminal.buffer;
      const rows = Array.from(
        { length: ROWS },
        (_, i) => spansOf(active.getLine(active.viewportY + i)!),
      );
      frames.push({ at: (performance.now() - begun) / 1000, rows });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const sampling = sample();
  return {
    async stop() {
      isRecording = false;
      await sampling;
      terminal.dispose();
      return frames;
    },
  };
}

/** Types a command as a person does. */
async function typeSlowly(pty: Pty, text: string): Promise<void> {
  for (const character of text) {
    pty.type(character);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await new Promise((resolve) => setTimeout(resolve, 400));
  pty.type(KEYS.enter);
}

async function record(): Promise<Frame[]> {
  await using mock = await startMockServer({
    seed: 7,
    delay: [0.3, 0.9],
    errorRate: 0.1,
    rps: 25,
    models: ["demo"],
  });
  using home = temporaryFolder();
  copyFileSync(`${ROOT}examples/questions.jsonl`, home.file("questions.jsonl"));
  home.write(
    "config.yaml",
    `models:\n  - id: demo\n    base_url: ${mock.baseUrl}\n    price: { input: 0.75, output: 4.5 }\n`,
  );
  const shim = home.write(
    "flexllm",
    `#!/bin/sh\nexec ${commandLine().map((part) => `'${part}'`).join(" ")} "$@"\n`,
  );
  chmodSync(shim, 0o755);
  const env = {
    PATH: `${home.path}:/usr/bin:/bin`,
    FLEXLLM_HOME: home.path,
    FLEXLLM_CONFIG: home.file("config.yaml"),
    DENO_DIR: process.env.DENO_DIR ?? `${process.env.HOME}/.cache/deno`,
    PS1: "$ ",
  };
  const shell = { columns: COLUMNS, rows: ROWS, home: home.path, env, program: ["/bin/sh"] };
  await using pty = new Pty(["-i"], shell);
  await pty.shows(/\$/);
  const recording = startRecording(pty);
  await typeSlowly(pty, COMMAND);
  await pty.shows(/\b3\d\/60/);
  pty.type(KEYS.ctrlC);
  await pty.shows(/Interrupted[\s\S]*\n\$ ?$/);
  await typeSlowly(pty, COMMAND);
  await pty.shows(/Done: [\s\S]*\n\$ ?$/);
  await typeSlowly(pty, "flexllm results answers.jsonl");
  await pty.shows(/60[\s\S]*\n\$ ?$/);
  await new Promise((resolve) => setTimeout(resolve, 300));
  pty.type(KEYS.ctrlD);
  return await recording.stop();
}

writeFileSync(`${ROOT}docs/batch.svg`, recordingSvg(await record(), COLUMNS, ROWS));
