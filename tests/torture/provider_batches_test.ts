/** Runs the torture of each provider's batches for a few rounds. `deno task torture` runs it for longer. */
import { disposeProgram, providerBatches } from "./provider_batches.ts";

Deno.test.afterAll(disposeProgram);

for (const [name, scenario] of Object.entries(providerBatches())) {
  Deno.test(`a provider batch survives: ${name}`, () => scenario(20261127, 2));
}
