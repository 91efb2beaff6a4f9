/**
 * Writes what a person needs to know when a gateway has started: its routes, and how clients use it.
 *
 * @module
 */
import process from "node:process";
import type { GatewaySettings } from "../../lib/config/resolve_gateway.ts";
import type { ResolvedRoute } from "../../lib/config/gateway_routes.ts";
import { isRedisServer } from "../../lib/cache/store_file.ts";
import { safeUrl } from "../../lib/redact.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { colored } from "../terminal/output.ts";
import { table, type TableRow } from "../terminal/table.ts";
import { screenWidth, wrapped } from "../terminal/wrap.ts";
import { isEveryInterface } from "./listen_address.ts";

/** Maximum routes that are listed. */
const MAX_ROUTES = 20;

/** Names for the load balances, between the targets of a route. */
const JOINED: Readonly<Record<string, string>> = { fallback: ", then " };

function describeRoute({ targets, loadBalance = "fallback" }: ResolvedRoute): string {
  const names = targets.join(JOINED[loadBalance] ?? ", ");
  return loadBalance === "fallback" || targets.length === 1 ? names : `${names} (${loadBalance})`;
}

/** The routes and their targets. */
export function routeRows({ endpoints, routes }: GatewaySettings): string[][] {
  const aliases = new Set(routes.map(({ name }) => name));
  return [
    ...endpoints.filter(({ name }) => !aliases.has(name)).map(
      ({ name, model, baseUrl, provider = "auto" }) => {
        const server = baseUrl ?? (provider === "mock" ? undefined : baseUrlOf(provider));
        const place = server === undefined ? "built in" : safeUrl(server);
        return [name, model === name ? place : `${model} at ${place}`];
      },
    ),
    ...routes.map((route) => [route.name, `→ ${describeRoute(route)}`]),
  ];
}

/** The variables that point clients at the gateway. */
function clientRows(url: string, key: string): string[][] {
  return [
    ["OpenAI SDKs", `export OPENAI_BASE_URL=${url}/v1 OPENAI_API_KEY=${key}`],
    ["Claude Code", `export ANTHROPIC_BASE_URL=${url} ANTHROPIC_AUTH_TOKEN=${key}`],
    ["Gemini CLI", `export GOOGLE_GEMINI_BASE_URL=${url} GEMINI_API_KEY=${key}`],
  ];
}

/** What gateways share, and through which server; `undefined` without one. */
export function sharedText({ redis, cache }: GatewaySettings): string | undefined {
  if (redis === undefined) return undefined;
  const isCacheShared = cache !== false && ["auto", "redis"].includes(cache.store ?? "auto") &&
    (cache.path === undefined || isRedisServer(cache.path));
  const shared = ["keys", "rate limits", "budgets"];
  if (isCacheShared) shared.push("the cache");
  const last = shared.pop();
  const list = `${shared.join(", ")} and ${last}`;
  return `Sharing ${list} with other gateways through Redis at ${redis.address.shown}.`;
}

/** What the text says besides the settings. */
export interface StartFacts {
  /** The URL without a path. */
  url: string;
  /** Whether clients need a virtual key. */
  requiresKey: boolean;
  /** Who can read the page: everyone on this machine, those with the admin key, or nobody. */
  page: "open" | "protected" | "closed";
  /** The command that creates a virtual key. */
  create: string;
}

/** The text as lines for stderr. */
export function startLines(
  settings: GatewaySettings,
  { url, requiresKey, page, create }: StartFacts,
): string[] {
  const { stderr } = process;
  const rows = routeRows(settings);
  const more = rows.length - MAX_ROUTES;
  const columns = [{ title: "" }, { title: "" }];
  const listed: TableRow[] = rows.slice(0, MAX_ROUTES);
  // Commands are copied, so they are never truncated or broken.
  const variables = table(columns, clientRows(url, requiresKey ? "KEY" : "any"), {
    stream: stderr,
    maxWidth: Infinity,
  });
  const width = screenWidth([stderr]) - 2;
  const section = (title: string) => ["", colored("bold", title)];
  const paragraph = (text: string) => wrapped(text, width).map((line) => `  ${line}`);
  const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return [
    ...section("Models"),
    ...indented(table(columns, listed, { stream: stderr, maxWidth: width })),
    ...more > 0 ? [`  … and ${more} more`] : [],
    ...section("Clients"),
    ...indented(variables),
    ...isEveryInterface(settings.host)
      ? paragraph("On other machines, write the name of this one in place of 127.0.0.1.")
      : [],
    ...section("Keys"),
    ...paragraph(
      requiresKey
        ? "Clients need a virtual key: put it in place of KEY."
        : "None yet: everyone on this machine may call, with any key. To require keys, create one:",
    ),
    ...requiresKey ? [] : [`  ${create}`],
    ...page === "closed" ? [] : [
      ...section("Status"),
      ...paragraph(page === "open" ? `${url}/` : `${url}/, with the admin key`),
    ],
    "",
    "Press Ctrl-C to stop.",
  ];
}
