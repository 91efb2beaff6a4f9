/**
 * A configuration as a person may see it: without its keys.
 *
 * @module
 */
import { isHarmlessHeader, maskKey, safeUrl } from "../redact.ts";
import type { ConfigValue } from "./schema.ts";

/** A value that may be secret; references to variables say nothing and stay. */
function masked(text: string): string {
  const isReference = /^(\w+ )?\$\{\w+\}$/.test(text);
  return isReference || text === "" || text === "EMPTY" ? text : maskKey(text);
}

interface Server {
  base_url?: string;
  api_key?: string;
  headers?: Record<string, string>;
}

function redactServer<T extends Server>(server: T): T {
  const { base_url, api_key, headers } = server;
  const shown = Object.entries(headers ?? {})
    .map(([name, text]) => [name, isHarmlessHeader(name) ? text : masked(text)]);
  return {
    ...server,
    ...base_url === undefined ? {} : { base_url: safeUrl(base_url) },
    ...api_key === undefined ? {} : { api_key: masked(api_key) },
    ...headers === undefined ? {} : { headers: Object.fromEntries(shown) },
  };
}

/** `value` with what may be secret masked: keys, headers, names and passwords in URLs. */
export function redactConfig(value: ConfigValue): ConfigValue {
  const { models, batch } = value;
  return {
    ...value,
    ...models ? { models: models.map(redactServer) } : {},
    ...batch
      ? {
        batch: {
          ...batch,
          ...batch.endpoints ? { endpoints: batch.endpoints.map(redactServer) } : {},
        },
      }
      : {},
  };
}
