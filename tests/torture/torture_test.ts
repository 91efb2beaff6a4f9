/** Runs every torture scenario for a few rounds. `deno task torture` runs them for longer. */
import { SCENARIOS } from "./scenarios.ts";

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  Deno.test(`a batch survives: ${name}`, () => scenario(20261123, 4));
}
