/**
 * Explains how to provide a key that is read from an environment variable.
 *
 * @module
 */
import { keyedServices } from "../../lib/keys/key_names.ts";

/** The commands that set `variable`, or store the key that it customarily holds. */
export function howToSet(variable: string): string {
  const service = keyedServices().find((each) => each.variable === variable);
  const set = `export ${variable}=…`;
  return service === undefined ? set : `flexllm keys set ${service.name} (or ${set})`;
}
