/** Runs every torture scenario for a few rounds. `deno task torture` runs them for longer. */
import { disposeProgram, providerBatches } from "./provider_batches.ts";
import { SCENARIOS } from "./scenarios.ts";

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  Deno.test(`a batch survives: ${name}`, () => scenario(20261123, 4));
}

Deno.test.afterAll(disposeProgram);

for (const [name, scenario] of Object.entries(providerBatches())) {
  Deno.test(`a provider batch survives: ${name}`, () => scenario(20261127, 2));
}
