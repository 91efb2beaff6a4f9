/**
 * Creates the sampler that `OTEL_TRACES_SAMPLER` names.
 *
 * @module
 */
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { type Environment, numberOf } from "./export_settings.ts";

const SAMPLERS: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) =>
    new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

/** The sampler; everything is sampled by default, and where the variable is wrong. */
export function samplerOf(env: Environment, warn: (message: string) => void): Sampler {
  const name = env.OTEL_TRACES_SAMPLER?.trim().toLowerCase() || "parentbased_always_on";
  const create = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (create === undefined) {
    const expected = Object.keys(SAMPLERS).join(", ");
    warn(
      `OTEL_TRACES_SAMPLER: expected one of ${expected}, got ${JSON.stringify(name)}; ` +
        "all calls are traced",
    );
    return SAMPLERS.parentbased_always_on(1);
  }
  const ratio = numberOf(env, "OTEL_TRACES_SAMPLER_ARG") ?? 1;
  return create(Math.min(1, ratio));
}
