/**
 * The way from a request's body to a request, which all protocols share.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import { problemOf } from "./body_checks.ts";
import type { MockRequest } from "./mock_request.ts";
import type { CallContext, MockError } from "./protocol.ts";

/** Combines a protocol's check and reader into its `read`; a lenient mock skips the check. */
export function reader(
  check: (body: Json, context: CallContext) => void,
  read: (body: Json, context: CallContext) => MockRequest,
): (body: unknown, context: CallContext) => MockRequest | MockError {
  return (body, context) => {
    const object = asObject(body);
    if (object === undefined) {
      return { status: 400, message: "The body of the request must be a JSON object." };
    }
    const problem = context.lenient ? undefined : problemOf(() => check(object, context));
    return problem ?? read(object, context);
  };
}
