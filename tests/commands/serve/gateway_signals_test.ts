/** Signals of a gateway: stop, reload, and a terminal that closes. */
import assert from "node:assert/strict";
import {
  type GatewaySignalHost,
  onGatewaySignals,
} from "../../../commands/serve/gateway_signals.ts";

function scripted(hasLostTerminal: boolean) {
  const events: string[] = [];
  const listeners = new Map<string, () => void>();
  const host: GatewaySignalHost = {
    on: (signal, listener) => void listeners.set(signal, listener),
    exit: (code) => void events.push(`exit ${code}`),
    hasLostTerminal: () => hasLostTerminal,
  };
  onGatewaySignals({
    stop: (count) => void events.push(`stop ${count}`),
    reload: () => void events.push("reload"),
  }, host);
  return { events, send: (signal: string) => listeners.get(signal)!() };
}

Deno.test("the first signal drains, the second ends requests, the third exits", () => {
  const { events, send } = scripted(false);
  for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"]) send(signal);
  assert.deepEqual(events, ["stop 1", "stop 2", "exit 130"]);
});

Deno.test("SIGHUP reloads, as often as it comes", () => {
  const { events, send } = scripted(false);
  for (const signal of ["SIGHUP", "SIGHUP", "SIGTERM"]) send(signal);
  assert.deepEqual(events, ["reload", "reload", "stop 1"]);
});

Deno.test("SIGHUP stops a gateway whose terminal was closed", () => {
  const { events, send } = scripted(true);
  send("SIGHUP");
  assert.deepEqual(events, ["stop 1"]);
});
