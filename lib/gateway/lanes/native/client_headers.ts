/**
 * Selects the headers that pass through the gateway. All others stop here: a client's key and cookies are not
 * for the provider, and the account's rate limits are not for clients.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { GatewayCall } from "../../gateway_call.ts";

/** Trace context (W3C), which any server may read. */
const TRACE = ["traceparent", "tracestate"];

/** Headers of an answer that help to report a problem to the provider. */
const FROM_PROVIDER = ["request-id", "x-request-id", "openai-processing-ms", "openai-version"];

/**
 * The client's headers that every server gets, whatever its format. Each format adds its own
 * ({@link Protocol.rawRequest}).
 *
 * An `idempotency-key` is made unique for the caller, the endpoint and the model: with the provider's account,
 * clients would share each other's answers, and a fallback would repeat a key with another body.
 */
export function headersToProvider(
  { headers, caller }: Pick<GatewayCall, "headers" | "caller">,
  endpoint: string,
  model: string,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of TRACE) {
    const value = headers.get(name);
    if (value) passed[name] = value;
  }
  const key = headers.get("idempotency-key");
  if (key) {
    passed["idempotency-key"] = hash("sha256", `${caller.id}\n${endpoint}\n${model}\n${key}`);
  }
  return passed;
}

/** The provider's headers that the client gets. */
export function headersToClient(headers: Headers): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of FROM_PROVIDER) {
    const value = headers.get(name);
    if (value !== null) passed[name] = value;
  }
  return passed;
}
