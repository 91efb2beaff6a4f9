/**
 * Decides which calls the response cache can answer, and under which key.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { CacheRequest } from "../cache/response_cache.ts";
import { answerCountOf } from "../chat/max_tokens.ts";
import { canonicalJson } from "../json/canonical.ts";
import { asObject, asText, type Json, mayBeInexact, parseExact } from "../json/json.ts";
import { isAttribution } from "./attribution.ts";
import type { GatewayCall } from "./gateway_call.ts";
import type { Route } from "./routes.ts";

/** Part of each key. Raise it when keys or entries change. */
const KEY_VERSION = "gateway 1";

/** Fields that make an answer depend on, or change, what a server stores, or ask for several answers. */
const STATEFUL = [
  "previous_response_id",
  "conversation",
  "background",
  "prompt",
  "cachedContent",
  "cached_content",
  "container",
  "mcp_servers",
  "web_search_options",
];

/** Fields that say nothing about the answer besides those of the format. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "stream_options",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "client_metadata",
  "service_tier",
]);

/** Headers that select another version or other features of an API, and with them the answer. */
const VARIANTS = ["anthropic-version", "anthropic-beta", "openai-beta"] as const;

/** The types of tools that the client executes; all others are a server's. */
const CLIENT_TOOLS: ReadonlySet<unknown> = new Set([undefined, "function", "custom", "namespace"]);
/** Anthropic's client tools have a version in their name. */
const ANTHROPIC_CLIENT_TOOL = /^(bash|text_editor|computer|memory)_\d/;

function runsOnServer(tool: unknown): boolean {
  const { type, functionDeclarations, function_declarations } = asObject(tool) ?? {};
  if (typeof type === "string" && ANTHROPIC_CLIENT_TOOL.test(type)) return false;
  if (!CLIENT_TOOLS.has(type)) return true;
  if (asObject(tool)?.name !== undefined || type !== undefined) return false;
  return functionDeclarations === undefined && function_declarations === undefined;
}

/** Whether everything that the model reads is in the body: the server adds nothing that it stores or finds. */
export function isSelfContained(body: Json): boolean {
  if (STATEFUL.some((name) => body[name] !== undefined && body[name] !== null)) return false;
  return !(Array.isArray(body.tools) && body.tools.some(runsOnServer));
}

/** Whether the answer to a request can be used again. */
export function isCacheable(body: Json): boolean {
  return body.store !== true && answerCountOf(body) === 1 && isSelfContained(body);
}

/** The fields of a body that determine the answer. */
function identity(body: Json, { protocol: { neutralFields } }: GatewayCall): Json {
  // Without a prototype, since a client may call a field "__proto__".
  const fields: Json = Object.create(null);
  for (const name in body) {
    const neutral = Object.hasOwn(neutralFields, name) ? neutralFields[name] : undefined;
    if (BOOKKEEPING.has(name) || neutral === true) continue;
    if (neutral !== undefined && neutral.includes(canonicalJson(body[name]))) continue;
    fields[name] = body[name];
  }
  const { system } = fields;
  if (Array.isArray(system)) {
    fields.system = system.filter((block) => !isAttribution(asText(asObject(block)?.text) ?? ""));
  }
  return fields;
}

/**
 * What the cache needs to know about a call. Calls have the same key if they differ only in the order of their
 * fields, in bookkeeping, and in whether they stream. The endpoints of the route are part of it, so that a
 * changed route finds no answers of other models.
 *
 * @param namespace separates the answers of keys
 */
export function cacheRequestOf(call: GatewayCall, route: Route, namespace: string): CacheRequest {
  // Numbers that a double cannot hold would make different requests equal.
  const body = mayBeInexact(call.text) ? parseExact(call.text) as Json : call.body;
  const variants = VARIANTS.map((name) => call.headers.get(name) ?? "");
  const scope = JSON.stringify([
    KEY_VERSION,
    namespace,
    call.protocol.name,
    route.identity,
    ...variants.some((value) => value !== "") ? variants : [],
  ]);
  const key = hash("sha256", `${scope}\n${canonicalJson(identity(body, call))}`, "base64url");
  const [{ endpoint, model }] = route.targets;
  return { key, model, endpoint: endpoint.name };
}
