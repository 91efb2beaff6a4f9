/** The documented defaults are the ones that clients use. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { batchFlags } from "../../commands/batch/flags.ts";
import { clientSettings } from "../../lib/client/client_settings.ts";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { configSchema } from "../../lib/config/schema.ts";

/** Setting names in the configuration, and the flags of `flexllm batch`. */
const DOCUMENTED: [name: keyof typeof DEFAULTS, setting: string, flag?: string][] = [
  ["concurrency", "concurrency", "--concurrency"],
  ["maxWait", "max_wait", "--max-wait"],
  ["timeout", "timeout", "--timeout"],
  ["retryTimes", "retry_times", "--retry-times"],
  ["retryDelay", "retry_delay"],
];

/** The description of a setting in the `batch` section. */
function settingDescription(name: string): string {
  const batch = configSchema.entries.batch.wrapped as unknown as {
    entries: Record<string, { wrapped: v.GenericSchema }>;
  };
  return v.getDescription(batch.entries[name].wrapped) ?? "";
}

Deno.test("help and configuration name the defaults that clients use", () => {
  const { options } = batchFlags();
  for (const [name, setting, flag] of DOCUMENTED) {
    const number = new RegExp(`\\b${DEFAULTS[name]}s?\\b`);
    assert.match(settingDescription(setting), number, setting);
    if (flag === undefined) continue;
    const option = options.find(({ long }) => long === flag);
    assert.match(option!.description, number, flag);
  }
});

Deno.test("a client without options has the defaults", () => {
  const settings = clientSettings({ provider: "mock", model: "mock" });
  const { maxWait, timeout, thinkingTimeout, retryTimes, retryDelay } = settings;
  const { concurrency } = settings.endpoints[0].limits;
  assert.deepEqual(
    { concurrency, maxWait, timeout, thinkingTimeout, retryTimes, retryDelay },
    DEFAULTS,
  );
});
