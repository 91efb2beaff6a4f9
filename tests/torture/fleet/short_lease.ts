/** Runs flexllm with a batch whose workers lose their records after two seconds without a sign of life. */
import { Coordinator } from "../../../lib/fleet/coordinator/coordinator.ts";

/** Seconds; a minute outside of tests. */
const LEASE = 2;

const { open } = Coordinator;
Coordinator.open = (options) => open.call(Coordinator, { ...options, lease: LEASE });
await import("../../../main.ts");
