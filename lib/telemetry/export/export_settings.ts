/**
 * Reads OpenTelemetry's environment variables: whether to export spans and metrics, and how.
 *
 * Source: the OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter Configuration".
 * The exporters themselves read endpoints, headers, timeouts, certificates and compression.
 *
 * @module
 */

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a signal is encoded. */
export type OtlpProtocol = "http/protobuf" | "http/json";

/** What to export. */
export interface ExportSettings {
  /** How spans are sent; `undefined` if they are not. */
  traces?: OtlpProtocol;
  /** The same for metrics. */
  metrics?: OtlpProtocol;
}

const SIGNALS = ["traces", "metrics"] as const;

/** The variables without which nothing is exported. */
const ENDPOINTS = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
] as const;

/** Whether a collector is named. Cheap, because every command checks it. */
export function namesCollector(env: Environment): boolean {
  return ENDPOINTS.some((name) => env[name]) && env.OTEL_SDK_DISABLED?.toLowerCase() !== "true";
}

/** The variable that names the collector for a signal. */
function endpointVariable(env: Environment, signal: string): string | undefined {
  return [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`, "OTEL_EXPORTER_OTLP_ENDPOINT"]
    .find((name) => env[name]);
}

/** The URLs of the collectors to which `settings` export. */
export function collectorsOf(env: Environment, settings: ExportSettings): string[] {
  const names = SIGNALS.filter((signal) => settings[signal] !== undefined)
    .map((signal) => endpointVariable(env, signal));
  return [...new Set(names.flatMap((name) => name === undefined ? [] : env[name]!.trim()))];
}

/** The URL of an endpoint for messages: its query and its user may be secret. */
function shown(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, "//").replace(/[?#].*$/s, "");
}

/** The consequence of an invalid variable, which may concern one signal or both. */
function without(variable: string): string {
  const signal = SIGNALS.find((signal) => variable.includes(signal.toUpperCase()));
  return signal === undefined ? "nothing is sent" : `no ${signal} are sent`;
}

/**
 * What to export; an empty object for nothing.
 *
 * @param warn called with what is wrong; the signal is then not exported
 */
export function exportSettings(env: Environment, warn: (message: string) => void): ExportSettings {
  const settings: ExportSettings = {};
  if (!namesCollector(env)) return settings;
  for (const signal of SIGNALS) {
    const upper = signal.toUpperCase();
    const name = endpointVariable(env, signal);
    if (name === undefined) continue;
    const exporters = (env[`OTEL_${upper}_EXPORTER`] || "otlp").split(",").map((each) =>
      each.trim()
    );
    if (exporters.includes("none")) continue;
    if (!exporters.includes("otlp")) {
      warn(
        `OTEL_${upper}_EXPORTER: expected otlp or none, got "${exporters}"; ${
          without(`OTEL_${upper}_EXPORTER`)
        }`,
      );
      continue;
    }
    const url = URL.parse(env[name]!);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      const got = JSON.stringify(shown(env[name]!));
      warn(
        `${name}: expected a URL such as http://localhost:4318, got ${got}; ${without(name)}`,
      );
      continue;
    }
    const protocol = protocolOf(env, upper, warn);
    if (protocol !== undefined) settings[signal] = protocol;
  }
  return settings;
}

function protocolOf(
  env: Environment,
  upper: string,
  warn: (message: string) => void,
): OtlpProtocol | undefined {
  const name = [`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`, "OTEL_EXPORTER_OTLP_PROTOCOL"]
    .find((name) => env[name]);
  if (name === undefined) return "http/protobuf";
  const value = env[name]!.trim().toLowerCase();
  if (value === "http/protobuf" || value === "http/json") return value;
  warn(
    `${name}: expected http/protobuf or http/json, got "${
      env[name]
    }"; no ${upper.toLowerCase()} are sent`,
  );
  return undefined;
}

/** The longest delay of a timer, in milliseconds; a longer one would end at once. */
const LONGEST = 2 ** 31 - 1;

/** The number in a variable; `undefined` if it is not set, or is not a number of at least `minimum`. */
export function numberOf(env: Environment, name: string, minimum = 0): number | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const value = Number(text);
  return value >= minimum ? Math.min(value, LONGEST) : undefined;
}

/** A size or time of a variable; `undefined` if it is not set, or not a number of at least 1. */
export function positiveOf(env: Environment, name: string): number | undefined {
  const value = numberOf(env, name, 1);
  return value && Math.floor(value);
}
