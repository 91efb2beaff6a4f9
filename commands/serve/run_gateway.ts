/**
 * Runs the gateway until a signal stops it.
 *
 * @module
 */
import process from "node:process";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import { stateOf } from "../../lib/gateway/access/key_settings.ts";
import { createGatewayApp, type GatewayApp } from "../../lib/gateway/gateway_app.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { allowRequests, MAX_REQUESTS } from "../../lib/runtime/runtime.ts";
import { isLoopback } from "../../lib/transport/loopback.ts";
import { counted, dollars } from "../terminal/format.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { LineLog } from "../terminal/request_log.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { gatewayObservers } from "./gateway_observers.ts";
import { onGatewaySignals } from "./gateway_signals.ts";
import {
  accessSettings,
  gatewayOptions,
  type GatewaySetup,
  openPool,
  readSetup,
} from "./gateway_setup.ts";
import { gatewayUrl, refuseOwnAddress, requireKeysFor } from "./listen_address.ts";
import { Reloader } from "./reloader.ts";
import { createKeyCommand, type ServeFlags } from "./serve_flags.ts";
import { shutDown, StopRequests } from "./shut_down.ts";
import { sharedText, startLines } from "./start_text.ts";

/** Opens the virtual keys. */
async function openKeys({ settings }: GatewaySetup): ReturnType<typeof openAccess> {
  const { redis, access: { database, isDatabaseNamed } } = settings;
  const options = { ...accessSettings(settings), database, onWarning: writeWarning };
  if (redis === undefined) return await openAccess(options);
  const { openSharedAccess } = await import("../../lib/gateway/access/open_shared_access.ts");
  return await openSharedAccess({ ...options, redis, isDatabaseRequired: isDatabaseNamed });
}

type KeyAccess = Awaited<ReturnType<typeof openKeys>>;

/** Warns about requests that an earlier gateway had in flight when it was killed. */
function noteRecovered({ recovered: { requests, cost } }: KeyAccess): void {
  if (requests === 0) return;
  writeWarning(
    `an earlier gateway was killed during ${counted(requests, "request")}; their reserved ` +
      `${dollars(cost)} count as spent`,
  );
}

/** Prints where the gateway listens, and on a terminal how to use it. */
function announce(
  { settings }: GatewaySetup,
  access: KeyAccess,
  port: number,
  flags: ServeFlags,
): void {
  const { quiet, accessLog } = flags;
  if (quiet) return;
  const { host, options } = settings;
  const url = gatewayUrl(host, port);
  const ready = `flexllm gateway listening on ${url}`;
  // Every line of a JSON log is JSON.
  if (accessLog === "json") writeNote(ready);
  else writeOutput(`${ready}\n`);
  const shared = sharedText(settings);
  if (shared !== undefined) writeSentences(shared);
  if (!process.stderr.isTTY) return;
  const requiresKey = access.hasKeys || !isLoopback(host);
  const page = options.adminKey !== undefined ? "protected" : isLoopback(host) ? "open" : "closed";
  const facts = { url, requiresKey, page, create: createKeyCommand(flags) } as const;
  for (const line of startLines(settings, facts)) writeNote(line);
}

/** Warns if the status page is closed to everyone. */
function warnAboutPage({ settings: { host, options } }: GatewaySetup): void {
  if (isLoopback(host) || options.adminKey !== undefined) return;
  writeWarning(
    "the status page, /status and /metrics are closed, since others can reach this address; to open them, set " +
      "FLEXLLM_ADMIN_KEY or serve.admin_key",
  );
}

function prepare(flags: ServeFlags): GatewaySetup {
  const setup = readSetup(flags);
  const { host, port, endpoints } = setup.settings;
  refuseOwnAddress(host, port, endpoints);
  return setup;
}

/** Serves until the gateway is stopped; returns the exit code. */
async function serveUntilStopped(
  app: GatewayApp,
  setup: GatewaySetup,
  access: KeyAccess,
  reloader: Reloader,
  flags: ServeFlags,
): Promise<number> {
  const { host, port, drain, options } = setup.settings;
  const server = await serve(host, port, (request, peer) => app.fetch(request, peer), {
    maxBodyBytes: options.maxBodyBytes,
  });
  const stops = new StopRequests();
  onGatewaySignals({ stop: (count) => stops.request(count), reload: () => void reloader.reload() });
  warnAboutPage(setup);
  announce(setup, access, server.port, flags);
  await stops.first;
  return await shutDown(app, server, stops, { drain: reloader.drain ?? drain });
}

/**
 * Runs the gateway until a signal stops it, and sets the exit code.
 *
 * @throws {ConfigurationError} if it cannot start
 */
export async function runGateway(flags: ServeFlags): Promise<void> {
  // On Bun this restarts the process in place, so it comes first.
  allowRequests(MAX_REQUESTS);
  const setup = prepare(flags);
  const access = await openKeys(setup);
  try {
    const now = Date.now();
    const hasActiveKey = access.keys.list().some((key) => stateOf(key, now) === "active");
    requireKeysFor(setup.settings.host, hasActiveKey, createKeyCommand(flags));
    noteRecovered(access);
    const log = new LineLog();
    const observers = gatewayObservers(flags, log);
    const app = createGatewayApp(
      await openPool(setup),
      gatewayOptions(setup.settings, access, observers),
    );
    const reloader = new Reloader(app, access, setup, flags, observers);
    process.exitCode = await serveUntilStopped(app, setup, access, reloader, flags);
    await log.flush();
    if (log.dropped > 0) {
      writeSentences(`${counted(log.dropped, "line")} of the access log could not be written.`);
    }
  } finally {
    await access.close();
  }
}
