/**
 * Finds the route that a call asks for, if its caller may use it.
 *
 * @module
 */
import type { GatewayCall } from "./gateway_call.ts";
import { GatewayError } from "./gateway_error.ts";
import type { Route, Routes } from "./routes.ts";

/**
 * The route of a call.
 *
 * @throws {GatewayError} 403 if the caller may not use the model, whether or not it exists: the names of other
 *   routes are not disclosed; 404 if there is none
 */
export function routeOfCall(
  routes: Pick<Routes, "get" | "similar">,
  { model, caller }: Pick<GatewayCall, "model" | "caller">,
): Route {
  const isAllowed = caller.mayUse(model);
  const route = isAllowed ? routes.get(model) : undefined;
  if (route !== undefined) return route;
  const similar = routes.similar(model);
  const suggestion = similar !== undefined && similar !== model && caller.mayUse(similar)
    ? `Did you mean "${similar}"?`
    : undefined;
  if (isAllowed) {
    throw new GatewayError(404, `the model "${model}" does not exist`, {
      reason: "model_not_found",
      param: "model",
      hint: suggestion ?? "GET /v1/models lists the models.",
    });
  }
  throw new GatewayError(403, `the key "${caller.name}" may not use the model "${model}"`, {
    reason: "model_not_allowed",
    param: "model",
    hint: suggestion ?? "GET /v1/models lists the models that it may use.",
  });
}
