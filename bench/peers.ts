/**
 * Compares whole commands: `flexllm batch`, and `promptfoo eval` on Node, with the same records, server and
 * concurrency. The startup of the command and of its runtime count.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measurement } from "./measurement.ts";
import { median, run, RUNTIMES, scratch, type Server, startBenchServer } from "./runtimes.ts";

/** What is measured. This version needs Node 22.22 or later. */
const PACKAGES = ["promptfoo@0.123.1", "node@22.23.3"];
const CONCURRENCY = 64;

/** A command, and what runs it. */
interface Peer {
  what: string;
  runtime: string;
  /** Removes the results of the previous run. */
  prepare(): void;
  command: string[];
}

/** How to measure. */
export interface PeerOptions {
  records: number;
  rounds: number;
  /** Where promptfoo is installed. Default: it is installed into a temporary directory. */
  folder?: string;
  note: (line: string) => void;
}

function prompts(records: number): string[] {
  return Array.from({ length: records }, (_, i) => `Question ${i}: what is the answer?`);
}

function flexllmPeers({ baseUrl }: Server, records: number): Peer[] {
  const [input, output] = [scratch("peers.jsonl"), scratch("peers-answers.jsonl")];
  writeFileSync(input, prompts(records).map((q) => `${JSON.stringify({ q })}\n`).join(""));
  const files = ["batch", input, "-o", output, "--api-key", "bench-key"];
  const flags = ["-c", String(CONCURRENCY), "-m", "bench", "--base-url", baseUrl];
  return RUNTIMES.map(({ name, launch }) => ({
    what: "flexllm batch",
    runtime: name,
    prepare: () => rmSync(output, { force: true }),
    command: [...launch("main.ts"), ...files, ...flags],
  }));
}

/**
 * Installs promptfoo and its Node from npm: 1.6 GB.
 *
 * @throws {Error} if that fails
 */
function install(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const flags = ["--no-audit", "--no-fund", "--prefix", folder];
  execFileSync("npm", ["install", ...flags, ...PACKAGES], { stdio: "ignore" });
}

/** promptfoo without its cache, its database of results, and anything that needs a network. */
function promptfooPeer({ baseUrl }: Server, records: number, folder: string): Peer {
  const output = scratch("promptfoo-results.jsonl");
  const home = scratch("promptfoo-home");
  const config = scratch("promptfoo.json");
  writeFileSync(
    config,
    JSON.stringify({
      prompts: ["{{q}}"],
      providers: [{
        id: "openai:chat:bench",
        config: { apiBaseUrl: baseUrl, apiKey: "bench-key" },
      }],
      tests: prompts(records).map((q) => ({ vars: { q } })),
    }),
  );
  const env = {
    PROMPTFOO_CONFIG_DIR: home,
    PROMPTFOO_DISABLE_TELEMETRY: "1",
    PROMPTFOO_DISABLE_UPDATE: "1",
    PROMPTFOO_DISABLE_REMOTE_GENERATION: "1",
    PROMPTFOO_DISABLE_SHARING: "1",
  };
  const node = join(folder, "node_modules/node/bin/node");
  const main = join(folder, "node_modules/promptfoo/dist/src/entrypoint.js");
  const flags = ["--no-cache", "--no-write", "--no-table", "--no-progress-bar"];
  return {
    what: "promptfoo eval",
    runtime: "node",
    prepare: () => rmSync(output, { force: true }),
    command: [
      ...["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), node, main],
      ...["eval", "-c", config, "-j", String(CONCURRENCY), "-o", output, ...flags],
    ],
  };
}

function peersOf(server: Server, { records, folder, note }: PeerOptions): Peer[] {
  const peers = flexllmPeers(server, records);
  const installed = folder ?? scratch("promptfoo");
  try {
    if (folder === undefined) install(installed);
    peers.push(promptfooPeer(server, records, installed));
  } catch (error) {
    note(`promptfoo is skipped, because it could not be installed: ${error}`);
  }
  return peers;
}

/** Measures them in turn, in several rounds. The ratios are those to flexllm on Bun. */
export async function measurePeers(options: PeerOptions): Promise<Measurement[]> {
  const { records, rounds, note } = options;
  const server = await startBenchServer(400);
  const peers = peersOf(server, options).map((peer) => ({
    ...peer,
    seconds: [] as number[],
    cpuSeconds: [] as number[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      note(`${peer.what}, ${peer.runtime}`);
      peer.prepare();
      const { seconds, cpuSeconds } = run(peer.command);
      peer.seconds.push(seconds);
      peer.cpuSeconds.push(cpuSeconds);
    }
  }
  await server.stop();
  const base = peers.find(({ runtime }) => runtime === "bun")!;
  return peers.map(({ what, runtime, seconds, cpuSeconds }) => ({
    section: "Whole commands",
    setting: `${records.toLocaleString("en-US")} records, concurrency ${CONCURRENCY}, 0.4 kB, 0 ms`,
    runtime,
    what,
    value: records / median(seconds),
    unit: "/s",
    ratio: median(base.seconds) / median(seconds),
    cpu: median(cpuSeconds) / records * 1e6,
    cpuRatio: median(base.cpuSeconds) / median(cpuSeconds),
  }));
}
