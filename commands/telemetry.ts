/**
 * Exports the spans and metrics of a command to the collector that OpenTelemetry's environment variables name.
 *
 * @module
 */
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { CAPTURE_VARIABLE, parseCapture } from "../lib/telemetry/content_capture.ts";
import {
  collectorsOf,
  exportSettings,
  namesCollector,
} from "../lib/telemetry/export/export_settings.ts";
import { unreachable } from "../lib/telemetry/export/reachable.ts";
import type { TelemetryExport } from "../lib/telemetry/export/start_export.ts";
import { registeredApi } from "../lib/telemetry/global_api.ts";
import { safeUrl } from "../lib/redact.ts";
import { networkProblem } from "../lib/transport/http.ts";
import { writeWarning } from "./terminal/sentences.ts";

/** Maximum milliseconds that the end of a command waits for the collector. */
const FLUSH_TIME = 2000;

/** Installs the packages that the npm package leaves to its users. */
const INSTALL = [
  "npm install -g",
  "@opentelemetry/context-async-hooks",
  "@opentelemetry/core",
  "@opentelemetry/exporter-metrics-otlp-http",
  "@opentelemetry/exporter-metrics-otlp-proto",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/exporter-trace-otlp-proto",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/sdk-trace",
].join(" ");

let running: TelemetryExport | undefined;
let collectors: string[] = [];
let hasFailed = false;

/** Warns once: a collector that is down must not fill the screen. */
function warnOfFailure(reason: string): void {
  if (hasFailed) return;
  hasFailed = true;
  const shown = [...new Set(collectors.map(safeUrl))].join(" and ");
  writeWarning(`spans and metrics could not be sent to ${shown}: ${reason}`);
}

/** The reason of a failure: an HTTP status or a problem of the network. Bodies and headers may hold secrets. */
function reasonOf(error: unknown): string {
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    const { code } = e as { code?: unknown };
    if (typeof code === "number") return `HTTP ${code}`;
    if (typeof code === "string" && /^[A-Z_]+$/.test(code)) return networkProblem(e) ?? code;
    const errors = (e as { errors?: unknown[] }).errors;
    if (Array.isArray(errors) && errors.length > 0) return reasonOf(errors[0]);
    if (/timed out/i.test(e.message)) return "no answer";
  }
  return networkProblem(error) ?? "not accepted";
}

/** Starts to export, if a collector is named and nothing else records spans. A failure is only a warning. */
export async function startTelemetry(): Promise<void> {
  const { env } = process;
  // Deno's own OpenTelemetry sends everything already.
  if (!namesCollector(env) || registeredApi() !== undefined) return;
  const warned = new Set<string>();
  const warn = (message: string) => {
    if (!warned.has(message)) writeWarning(message);
    warned.add(message);
  };
  const settings = exportSettings(env, warn);
  if (settings.traces === undefined && settings.metrics === undefined) return;
  collectors = collectorsOf(env, settings);
  const { problem } = parseCapture(env[CAPTURE_VARIABLE]);
  if (problem !== undefined) warn(problem);
  try {
    const { startExport } = await import("../lib/telemetry/export/start_export.ts");
    running = await startExport(settings, env, warn, (error) => warnOfFailure(reasonOf(error)));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_MODULE_NOT_FOUND") {
      warn(`spans and metrics are not sent, their packages are not installed: ${INSTALL}`);
    } else warnOfFailure(error instanceof Error ? error.message : String(error));
  }
}

/** Resolves if the collectors refuse connections. Behind a proxy that cannot be found out. */
async function refusal(): Promise<Error | undefined> {
  const { env } = process;
  const hasProxy = ["http_proxy", "https_proxy", "all_proxy"]
    .some((name) => env[name] || env[name.toUpperCase()]);
  return hasProxy ? undefined : await unreachable(collectors);
}

/** Sends what is pending, but does not wait for a slow collector, or for one that is not there. */
export async function stopTelemetry(): Promise<void> {
  const stopping = running?.stop();
  running = undefined;
  if (stopping === undefined) return;
  const { promise: ended, resolve } = Promise.withResolvers<string | undefined>();
  const timer = setTimeout(() => resolve(`not accepted within ${FLUSH_TIME / 1000} s`), FLUSH_TIME);
  stopping.then(() => resolve(undefined));
  refusal().then((error) => error && resolve(reasonOf(error)));
  const failure = await ended;
  if (failure !== undefined) warnOfFailure(failure);
  clearTimeout(timer);
}
