/**
 * Lists the models that a caller may use, in the format of the client.
 *
 * @module
 */
import { listedModels } from "../../pricing/price_list.ts";
import type { ProtocolServer, ServedModel } from "../../protocols/serve.ts";
import { Lazy } from "../../runtime/lazy.ts";
import type { Caller } from "../access.ts";
import { GatewayError } from "../gateway_error.ts";
import type { GatewayHost, NamedRoute } from "./gateway_host.ts";

async function loadContextWindows(): Promise<ReadonlyMap<string, number>> {
  const windows = new Map<string, number>();
  for (const { model, contextWindow } of await listedModels()) {
    if (contextWindow === undefined) continue;
    // Providers offer the same model with different windows: the smallest one is safe.
    windows.set(model, Math.min(contextWindow, windows.get(model) ?? Infinity));
  }
  return windows;
}

const loadedWindows = new Lazy(loadContextWindows);

/** Context windows by model id, from the price list. If it cannot be read, the list of models has no sizes. */
function contextWindows(): Promise<ReadonlyMap<string, number>> {
  return loadedWindows.get().catch(() => new Map());
}

/** The smallest context window of a route's models; `undefined` if one is unknown. */
function contextWindowOf(
  { targets }: NamedRoute,
  windows: ReadonlyMap<string, number>,
): number | undefined {
  let smallest = Infinity;
  for (const { model } of targets) {
    const size = windows.get(model) ?? windows.get(model.slice(model.lastIndexOf("/") + 1));
    if (size === undefined) return undefined;
    smallest = Math.min(smallest, size);
  }
  return smallest === Infinity ? undefined : smallest;
}

function served(route: NamedRoute, windows: ReadonlyMap<string, number>): ServedModel {
  return { id: route.name, contextWindow: contextWindowOf(route, windows) };
}

/**
 * The body of the list of the models that `caller` may use.
 *
 * @param query which page of it the client asks for
 * @throws {InvalidInputError} if there is no such page
 */
export async function modelsBody(
  host: Pick<GatewayHost, "routes">,
  caller: Caller,
  server: ProtocolServer,
  query: URLSearchParams,
): Promise<unknown> {
  const windows = await contextWindows();
  const models = [...host.routes()].filter(({ name }) => caller.mayUse(name))
    .map((route) => served(route, windows));
  return server.encodeModels(models, query);
}

/**
 * The body of the description of one model.
 *
 * @throws {GatewayError} 404 if there is none, or `caller` may not use it
 */
export async function modelBody(
  host: Pick<GatewayHost, "route">,
  caller: Caller,
  server: ProtocolServer,
  id: string,
): Promise<unknown> {
  const route = caller.mayUse(id) ? host.route(id) : undefined;
  if (route === undefined) {
    throw new GatewayError(404, `the model "${id}" does not exist`, {
      reason: "model_not_found",
      param: "model",
      hint: "GET /v1/models lists the models.",
    });
  }
  return server.encodeModel(served(route, await contextWindows()));
}
