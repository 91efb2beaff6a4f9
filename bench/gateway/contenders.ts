/**
 * Starts the servers that are compared: a bare proxy, `flexllm serve`, and Portkey's gateway.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { run, type Runtime, RUNTIMES, scratch, type Server, startServer } from "../runtimes.ts";
import type { Target } from "./workers/client_connection.ts";

/** A server that is measured. */
export interface Contender extends Server {
  target: Target;
  /** The runtime that it runs on. */
  runtime: string;
}

/** The version of Portkey's gateway that is measured. */
const PORTKEY = "@portkey-ai/gateway@1.15.2";

const NO_KEY = { authorization: "Bearer any-key" };

/** The upstream server itself, without a gateway. */
export function direct({ baseUrl }: Server): Target {
  return { name: "direct", baseUrl, headers: NO_KEY };
}

/** Starts a proxy without any features. */
export async function startBareProxy(runtime: Runtime, upstream: string): Promise<Contender> {
  const source = runtime.launch("bench/gateway/workers/bare_proxy.ts");
  const server = await startServer([...source, upstream]);
  const name = `bare proxy on ${runtime.name}`;
  const target = { name, baseUrl: server.baseUrl, headers: NO_KEY };
  return { ...server, target, runtime: runtime.name };
}

/** Limits that no benchmark reaches. They are all checked and counted. */
function configuration(upstream: string, folder: string, redis?: string): object {
  const limits = { rpm: 1e9, tpm: 1e12, concurrent: 100_000, budget: { day: 1e6, month: 1e7 } };
  return {
    redis,
    models: [{
      id: "upstream-model",
      name: "bench",
      provider: "openai",
      base_url: upstream,
      api_key: "upstream-key",
      price: { input: 1, output: 4 },
    }],
    serve: {
      database: join(folder, "gateway.db"),
      // The default of the binary; from source, Deno would use its KV.
      cache: redis === undefined
        ? { store: "sqlite", path: join(folder, "responses.sqlite") }
        : true,
      limits,
      teams: { team: limits },
    },
  };
}

let gateways = 0;

/**
 * Starts the gateway: with a virtual key that has limits and budgets, as do its team and all keys together. With a
 * URL of `redis`, it shares them, and its cache, through that server.
 */
export async function startGateway(
  runtime: Runtime,
  upstream: string,
  redis?: string,
): Promise<Contender> {
  const folder = scratch(`gateway-${gateways++}`);
  mkdirSync(folder);
  const path = join(folder, "flexllm_config.yaml");
  // JSON is YAML as well.
  writeFileSync(path, JSON.stringify(configuration(upstream, folder, redis)));
  const flexllm = runtime.launch("main.ts");
  const limits = ["--rpm", "1000000000", "--tpm", "1000000000000", "--concurrent", "100000"];
  const budgets = ["--budget-day", "100000", "--budget-month", "1000000", "--team", "team"];
  const create = ["serve", "virtual-key", "create", "bench", "--config", path];
  const key = run([...flexllm, ...create, ...limits, ...budgets]).output.trim();
  const server = await startServer([...flexllm, "serve", "-p", "0", "--config", path]);
  const name = `flexllm serve on ${runtime.name}${redis === undefined ? "" : ", Redis"}`;
  const target = { name, baseUrl: server.baseUrl, headers: { authorization: `Bearer ${key}` } };
  return { ...server, target, runtime: runtime.name };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts Portkey's gateway on Node, without limits, budgets or a cache, which it lacks. It is installed in
 * `folder`, or once into a temporary one.
 */
export async function startPortkey(upstream: string, folder?: string): Promise<Contender> {
  const installed = folder ?? scratch("portkey");
  const main = join(installed, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (folder === undefined && !existsSync(main)) {
    mkdirSync(installed, { recursive: true });
    const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", installed];
    execFileSync("npm", ["install", ...flags, PORTKEY], { stdio: "ignore" });
  }
  const port = await freePort();
  const server = await startServer(["node", main, `--port=${port}`, "--headless"]);
  const headers = {
    ...NO_KEY,
    "x-portkey-provider": "openai",
    "x-portkey-custom-host": upstream,
  };
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  return { ...server, baseUrl, target: { name: "Portkey", baseUrl, headers }, runtime: "node" };
}

/** Starts all of them. Portkey only if `portkey` is not `false`. */
export async function startContenders(
  { baseUrl }: Server,
  portkey: string | false | undefined,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const runtime of RUNTIMES) {
    contenders.push(await startBareProxy(runtime, baseUrl));
    contenders.push(await startGateway(runtime, baseUrl));
  }
  if (portkey !== false) contenders.push(await startPortkey(baseUrl, portkey));
  return contenders;
}
