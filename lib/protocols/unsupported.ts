/**
 * Rejects options that a wire format or a model does not support, before anything is sent.
 *
 * @module
 */
import type { SamplingOptions } from "../chat/options.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";

/** The error for an option that `who` does not accept. */
export function unsupported(option: string, who: string, hint?: string): ConfigurationError {
  return new ConfigurationError(`${who} does not accept the option ${option}`, { hint });
}

/** Throws if one of `names` is set. */
export function rejectOptions(
  options: SamplingOptions,
  names: readonly (keyof SamplingOptions)[],
  who: string,
  hint?: string,
): void {
  for (const name of names) {
    if (options[name] !== undefined) throw unsupported(name, who, hint);
  }
}

/** The error for a part of a message that `who` does not accept; only this record fails. */
export function unsupportedPart(type: string, who: string, hint?: string): InvalidInputError {
  return new InvalidInputError(`${who} does not accept message parts of type "${type}"`, { hint });
}

/** The error for a file of a media type that `who` does not accept; only this record fails. */
export function unsupportedFile(mediaType: string, who: string, hint: string): InvalidInputError {
  return new InvalidInputError(`${who} does not accept files of type ${mediaType}`, { hint });
}

/**
 * Throws for a field of a message that `who` does not accept; only this record fails.
 *
 * @throws {InvalidInputError} always
 */
export function rejectField(field: string, who: string, hint?: string): never {
  throw new InvalidInputError(`${who} does not accept the field ${field}`, { hint });
}

/**
 * Throws if an option controls tool calls but there are no tools, which the APIs reject.
 *
 * @throws {ConfigurationError} names the option
 */
export function rejectToolOptions(options: SamplingOptions): void {
  const { tools, toolChoice, parallelToolCalls, extraBody } = options;
  if (tools?.length) return;
  if (Array.isArray(extraBody?.tools) && extraBody.tools.length > 0) return;
  // Records may contain null, which means absent.
  const name = (toolChoice ?? undefined) !== undefined
    ? "toolChoice"
    : (parallelToolCalls ?? undefined) !== undefined
    ? "parallelToolCalls"
    : undefined;
  if (name === undefined) return;
  throw new ConfigurationError(`the option ${name} is set, but there are no tools`, {
    hint: `Add tools, or leave ${name} out.`,
  });
}
