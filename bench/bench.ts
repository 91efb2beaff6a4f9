/**
 * `deno task bench`: requests a second of the bare loop, the library, the command line and the openai
 * package, on Deno and on Bun, against one server, in turn. What counts is the ratio to the bare loop
 * of the same runtime in the same run.
 *
 * Options: --requests N, --concurrency N, --rounds N, --json.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "20000" },
    concurrency: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const requests = Number(values.requests);
const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "flexllm-bench-"));
const deno = process.execPath;

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function bundle(source: string): string {
  const target = join(folder, source.replace(/^.*\//, "").replace(/ts$/, "js"));
  execFileSync(deno, ["bundle", "-q", "--platform", "deno", "-o", target, join(root, source)]);
  return target;
}

/** Runs a command and gives its standard output and how long it took, in seconds. */
function run(command: string[]): { output: string; seconds: number } {
  const begun = performance.now();
  const output = execFileSync(command[0], command.slice(1), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, FLEXLLM_HOME: folder },
  });
  return { output, seconds: (performance.now() - begun) / 1000 };
}

type Launch = (source: string) => string[];

/** How each runtime starts one of our sources. Bun runs the bundles, as the binary does. */
function launchers(): Record<string, Launch> {
  const bundles = new Map<string, string>();
  return {
    deno: (source) => [deno, "run", "-A", join(root, source)],
    bun: (source) => {
      if (!bundles.has(source)) bundles.set(source, bundle(source));
      return ["bun", bundles.get(source)!];
    },
  };
}

function runCommandLine(launch: Launch, baseUrl: string, input: string): number {
  const output = join(folder, "answers.jsonl");
  rmSync(output, { force: true });
  const flags = ["-o", output, "-c", values.concurrency, "-m", "bench", "--base-url", baseUrl];
  const { seconds } = run([
    ...launch("main.ts"),
    "batch",
    input,
    ...flags,
    "--api-key",
    "bench-key",
  ]);
  // The runtime's own start is not ours to answer for; the rest of the start is.
  return seconds - run([...launch("main.ts"), "version"]).seconds;
}

async function startServer(): Promise<{ baseUrl: string; stop: () => void }> {
  const server = spawn("bun", [join(root, "bench/server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const chunk of server.stdout) {
    return { baseUrl: String(chunk).trim(), stop: () => server.stdin.end() };
  }
  throw new Error("the server did not start");
}

const input = join(folder, "questions.jsonl");
writeFileSync(
  input,
  Array.from({ length: requests }, (_, i) => `{"q":"Question ${i}: what is the answer?"}\n`).join(
    "",
  ),
);

const rows: { runtime: string; what: string; perSecond: number; ratio: number }[] = [];
const { baseUrl, stop } = await startServer();
try {
  for (const [runtime, launch] of Object.entries(launchers())) {
    const script = (source: string) => () =>
      Number(run([...launch(source), baseUrl, String(requests), values.concurrency]).output);
    const contenders: Record<string, () => number> = {
      "bare fetch loop": script("bench/bare_loop.ts"),
      "library batch": script("bench/library_batch.ts"),
      "flexllm batch": () => runCommandLine(launch, baseUrl, input),
      "openai + p-limit": script("bench/openai_sdk.ts"),
    };
    const times = new Map<string, number[]>();
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [what, measure] of Object.entries(contenders)) {
        times.set(what, [...times.get(what) ?? [], measure()]);
      }
    }
    const bare = median(times.get("bare fetch loop")!);
    for (const [what, seconds] of times) {
      const middle = median(seconds);
      rows.push({ runtime, what, perSecond: requests / middle, ratio: bare / middle });
    }
  }
} finally {
  stop();
  rmSync(folder, { recursive: true, force: true });
}

if (values.json) {
  process.stdout.write(`${JSON.stringify(rows)}\n`);
} else {
  process.stdout.write(`${requests} requests, ${values.concurrency} at once\n`);
  for (const { runtime, what, perSecond, ratio } of rows) {
    const rate = `${Math.round(perSecond)}/s`.padStart(9);
    process.stdout.write(
      `${runtime.padEnd(5)} ${what.padEnd(17)} ${rate}  ${ratio.toFixed(2)} of the bare loop\n`,
    );
  }
}
process.exit(0);
