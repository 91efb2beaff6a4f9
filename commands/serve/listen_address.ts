/**
 * Checks the address that a gateway listens on, and makes the URLs for its clients.
 *
 * @module
 */
import type { GatewayEndpoint } from "../../lib/config/gateway_endpoints.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { isLoopback } from "../../lib/transport/loopback.ts";

/** Addresses that mean every interface. */
const EVERY_INTERFACE: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

/** Whether the gateway listens on every interface. */
export function isEveryInterface(host: string): boolean {
  return EVERY_INTERFACE.has(host);
}

/** The URL of a gateway on this machine, without a path. */
export function gatewayUrl(host: string, port: number): string {
  const reachable = isEveryInterface(host) ? "127.0.0.1" : host;
  const name = reachable.includes(":") && !reachable.startsWith("[") ? `[${reachable}]` : reachable;
  return `http://${name}:${port}`;
}

/**
 * Refuses an address that others can reach while everyone may call.
 *
 * @param hasKeys whether a virtual key is active
 * @param create the command that creates one
 * @throws {ConfigurationError} with the commands that fix it
 */
export function requireKeysFor(host: string, hasKeys: boolean, create: string): void {
  if (hasKeys || isLoopback(host)) return;
  throw new ConfigurationError(
    `refusing to listen on ${host} without an active virtual key: everyone who can reach it could ` +
      "spend your money",
    {
      hint: `Create a key: ${create}\n` +
        "Or listen on this machine only: flexllm serve --host 127.0.0.1",
    },
  );
}

/**
 * Refuses an endpoint that is the gateway itself, as after `export OPENAI_BASE_URL=…` for its clients.
 *
 * @throws {ConfigurationError} naming the model
 */
export function refuseOwnAddress(
  host: string,
  port: number,
  endpoints: readonly GatewayEndpoint[],
): void {
  for (const { name, baseUrl } of endpoints) {
    const url = baseUrl === undefined ? null : URL.parse(baseUrl);
    if (url === null || url.port !== String(port)) continue;
    const isHere = url.hostname === host || isLoopback(url.hostname) &&
        (isLoopback(host) || isEveryInterface(host));
    if (!isHere) continue;
    throw new ConfigurationError(
      `the model ${name} is at ${url.host}, where this gateway is going to listen`,
      { hint: "Choose another port with --port, or unset OPENAI_BASE_URL and FLEXLLM_BASE_URL." },
    );
  }
}
