/**
 * Derives the id of a job from what it asks.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonicalJson } from "../json/canonical.ts";
import { ConfigurationError } from "../errors.ts";
import type { JobRequest } from "./job_spec.ts";

function digest(request: JobRequest, inputId: string): string {
  const { name, models, api, provider, template } = request;
  // Through JSON, which leaves out what is undefined.
  const plain = JSON.parse(JSON.stringify({ name, models, api, provider, template, inputId }));
  return hash("sha256", canonicalJson(plain));
}

/** The default id of a job: the same for the same request and input. */
export function jobIdOf(request: JobRequest, inputId: string): string {
  return digest(request, inputId).slice(0, 12);
}

/** Identifies what a job asks; results of another generation are not used. */
export function generationOf(request: JobRequest, inputId: string): string {
  return digest(request, inputId).slice(0, 24);
}

/**
 * Checks the id of a job that a user chose.
 *
 * @throws {ConfigurationError} if it cannot be part of a key
 */
export function checkJobId(id: string): void {
  if (/^[\w.-]{1,100}$/.test(id)) return;
  throw new ConfigurationError(`job ${JSON.stringify(id)}: not a valid name`, {
    hint: "Use up to 100 letters, digits and the characters . _ -",
  });
}
