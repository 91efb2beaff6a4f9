/**
 * Creates the errors for commands that have no model to use.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Config } from "./load.ts";
import { selectableModels } from "./models.ts";

/** The error if no model is configured. */
export function noModel(config: Config): ConfigurationError {
  if (config.value.batch?.endpoints?.length) {
    return new ConfigurationError("no model is configured, only batch.endpoints", {
      hint: "`flexllm batch` uses those endpoints and `flexllm test --all` tests them. For other " +
        "commands, list models in the configuration or pass -m and --base-url.",
    });
  }
  const where = config.file === undefined
    ? ": there is no configuration file"
    : ` in ${config.file}`;
  return new ConfigurationError(`no model is configured${where}`, {
    hint: "Run `flexllm init`, try -m mock, which needs no key, or set FLEXLLM_BASE_URL, " +
      "FLEXLLM_API_KEY and FLEXLLM_MODEL.",
  });
}

/** The error if the model called `name` is not configured. */
export function unknownModel({ value }: Config, name: string): ConfigurationError {
  if (value.batch?.endpoints?.some(({ model }) => model === name)) {
    return new ConfigurationError(
      `"${name}" is the model of a batch endpoint, not listed in models`,
      {
        hint: "Omit -m to run `flexllm batch` with the endpoints, or list the model under models.",
      },
    );
  }
  return new ConfigurationError(`the model "${name}" is not configured`, {
    hint: `Configured models: ${selectableModels(value).join(", ")}. ` +
      "To use another server, set --base-url or FLEXLLM_BASE_URL.",
  });
}
