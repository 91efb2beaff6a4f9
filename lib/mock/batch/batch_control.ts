/**
 * Serves what tests need: the ledger of all jobs and billed rows, the faults, and the clock.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { ConfigurationError } from "../../errors.ts";
import { asNumber } from "../../json/json.ts";
import type { BatchCore } from "./core.ts";
import { type BatchFault, parseBatchFault } from "./fault_kinds.ts";
import { ledger } from "./ledger.ts";
import { readJson } from "./read_body.ts";

function shownFault({ kind, value, from, to, every }: BatchFault) {
  return { kind, value, from, to: to === Infinity ? null : to, every };
}

function bad(c: Context, message: string): Response {
  return c.json({ error: { message } }, 400);
}

/** Adds the routes under `/__mock/batches`. */
export function addBatchControl(app: Hono, core: BatchCore): void {
  app.get(
    "/__mock/batches",
    async (c) => c.json(await ledger(core, c.req.query("rows") === "all")),
  );
  app.get("/__mock/batches/faults", (c) => c.json({ faults: core.faults.map(shownFault) }));
  app.put("/__mock/batches/faults", async (c) => {
    const faults = (await readJson(c.req.raw))?.faults;
    if (!Array.isArray(faults) || faults.some((fault) => typeof fault !== "string")) {
      return bad(c, 'Expected {"faults": ["expire=30%@1"]}.');
    }
    try {
      core.setFaults(faults.map(parseBatchFault));
    } catch (error) {
      if (error instanceof ConfigurationError) return bad(c, error.message);
      throw error;
    }
    return c.json({ faults: core.faults.map(shownFault) });
  });
  app.get("/__mock/batches/clock", (c) => c.json({ now: core.now() / 1000 }));
  app.post("/__mock/batches/clock", async (c) => {
    const seconds = asNumber((await readJson(c.req.raw))?.advance);
    if (seconds === undefined || !(seconds >= 0)) {
      return bad(c, 'Expected {"advance": SECONDS}, with seconds ≥ 0.');
    }
    core.advance(seconds * 1000);
    return c.json({ now: core.now() / 1000 });
  });
}
