/** Random traffic never costs more than the budgets, and leaves nothing in use. */
import { checkTraffic } from "../support/gateway_traffic.ts";

for (const seed of [1, 2, 3]) {
  Deno.test(`Random traffic (${seed}) keeps to the budgets, and leaves nothing in use`, async () => {
    await checkTraffic({ seed, clients: 16, calls: 12 });
  });
}
