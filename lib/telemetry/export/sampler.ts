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
  const argument = "OTEL_TRACES_SAMPLER_ARG";
  const ratio = numberOf(env, argument);
  if (name.endsWith("ratio") && env[argument]?.trim() && !(ratio! <= 1)) {
    warn(
      `${argument}: expected a number from 0 to 1, got ${JSON.stringify(env[argument])}; ` +
        "all calls are traced",
    );
  }
  return create(Math.min(1, ratio ?? 1));
}
