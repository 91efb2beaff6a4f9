/**
 * Shows the status of a running gateway for `flexllm serve status`.
 *
 * @module
 */
import process from "node:process";
import type { Config } from "../../lib/config/load.ts";
import { GATEWAY_DEFAULTS, gatewayAdminKey } from "../../lib/config/resolve_gateway.ts";
import { ConfigurationError, ConnectionError } from "../../lib/errors.ts";
import type { GatewayStatus } from "../../lib/gateway/status.ts";
import { safeUrl } from "../../lib/redact.ts";
import { readConfig } from "../read_config.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { gatewayUrl } from "./listen_address.ts";
import { statusLines } from "./status_lines.ts";

/** The flags of `flexllm serve status`. */
export interface StatusFlags {
  url?: string;
  port?: number;
  host?: string;
  json?: true;
  config?: string;
}

/** Milliseconds until a gateway that does not answer counts as down. */
const TIMEOUT = 10_000;

/** The URL of the gateway, without a path. */
function statusUrl({ value }: Config, { url, port, host }: StatusFlags): string {
  if (url === undefined) {
    const { serve = {} } = value;
    return gatewayUrl(
      host ?? serve?.host ?? GATEWAY_DEFAULTS.host,
      port ?? serve?.port ?? GATEWAY_DEFAULTS.port,
    );
  }
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigurationError(
      `--url: expected a URL such as https://llm.example.org, got ${url}`,
    );
  }
  return parsed.href.replace(/\/(v1\/?)?$/, "");
}

function unreachable(url: string, cause: unknown): ConnectionError {
  return new ConnectionError(`no gateway answers at ${safeUrl(url)}`, {
    cause,
    hint: "Start one with `flexllm serve`, or name its address with --port or --url.",
  });
}

/**
 * Requests the status.
 *
 * @throws {ConnectionError} if nothing answers
 * @throws {ConfigurationError} if the admin key is wrong, or something else answers there
 */
async function requestStatus(
  url: string,
  adminKey: string | undefined,
): Promise<GatewayStatus> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/status`, {
      headers: {
        accept: "application/json",
        ...adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` },
      },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    text = await response.text();
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (response.status === 401 || response.status === 403) {
    throw new ConfigurationError(`the gateway at ${safeUrl(url)} refuses to show its status`, {
      hint: adminKey === undefined
        ? "Set FLEXLLM_ADMIN_KEY to its admin key. If it has none, set serve.admin_key and reload it."
        : "FLEXLLM_ADMIN_KEY or serve.admin_key is not its admin key.",
    });
  }
  try {
    const status = JSON.parse(text) as GatewayStatus;
    if (response.ok && Array.isArray(status.endpoints)) return status;
  } catch {
    // Reported below.
  }
  throw new ConfigurationError(
    `what answers at ${safeUrl(url)} is no flexllm gateway (status ${response.status})`,
    { hint: "Name the address of the gateway with --port or --url." },
  );
}

/** Prints the status of a running gateway. */
export async function showStatus(flags: StatusFlags): Promise<void> {
  const config = readConfig(flags.config);
  const url = statusUrl(config, flags);
  const status = await requestStatus(url, gatewayAdminKey(config, process.env));
  if (flags.json) writeJson(status);
  else writeOutput(`${statusLines(status, safeUrl(url)).join("\n")}\n`);
}
