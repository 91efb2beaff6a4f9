/**
 * Combines the logs of the gateway: the access log on stdout, and the log of calls.
 *
 * @module
 */
import type { GatewayFacts, GatewayObserver } from "../../lib/gateway/gateway_facts.ts";
import { accessRecord } from "../../lib/gateway/observe/access_record.ts";
import type { CallLog } from "../../lib/log/call_log.ts";
import { isLogged, type LogLevel } from "../../lib/log/log_level.ts";
import { callLog } from "../call_log.ts";
import type { LineLog } from "../terminal/request_log.ts";
import { accessLogger } from "./access_log.ts";
import type { GatewayObservers } from "./gateway_setup.ts";
import type { ServeFlags } from "./serve_flags.ts";

/** How severe a request is. What clients do wrong, such as a wrong key, is only a warning. */
function levelOfRequest({ outcome, status, retries, fallbacks }: GatewayFacts): LogLevel {
  if (outcome === "error") return status !== undefined && status < 500 ? "warn" : "error";
  return outcome === "aborted" || retries + fallbacks > 0 ? "warn" : "info";
}

/** Logs requests with the fields of the access log. */
function requestLogger(log: CallLog): GatewayObserver {
  return (facts) => {
    const level = levelOfRequest(facts);
    if (!isLogged(level, log.level)) return;
    const { time, ...record } = accessRecord(facts);
    log.write({ time, level, event: "call", ...record });
  };
}

/**
 * What is called about requests and attempts.
 *
 * @throws {ConfigurationError} if the log of calls cannot be opened
 */
export function gatewayObservers(flags: ServeFlags, accessLog: LineLog): GatewayObservers {
  const calls = callLog(flags);
  const observers = [
    ...flags.accessLog ? [accessLogger(flags.accessLog, accessLog)] : [],
    ...calls ? [requestLogger(calls)] : [],
  ];
  if (observers.length === 0) return {};
  return {
    onRequest: (facts) => observers.forEach((observe) => observe(facts)),
    onAttempt: calls?.onAttempt,
  };
}
