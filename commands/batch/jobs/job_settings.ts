/**
 * Decides how the records of a batch are sent: live, as jobs of a provider's batch API, or through files.
 *
 * @module
 */
import type { BatchSection } from "../../../lib/config/schema.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import type { BatchFlags } from "../flags.ts";

/** The settings of provider jobs. Times are in seconds. */
export interface JobSettings {
  /** Whether to wait until all jobs have ended. */
  wait: boolean;
  /** Seconds after the first submission at which jobs are cancelled. */
  deadline: number | undefined;
  /** What happens to the records that are left at the deadline. */
  afterDeadline: "live" | "stop";
  /** Seconds between polls, instead of the provider's advice. */
  pollInterval: number | undefined;
  /** Whether to delete the provider's files of collected jobs. */
  clean: boolean;
  /** The ID of the job that an unclear submission created. */
  adopt: string | undefined;
  /** Whether to submit records of unclear submissions and lost jobs again. */
  resend: boolean;
  /** Limits below those of the provider. */
  limits: { rows?: number; bytes?: number; jobs?: number; queuedTokens?: number };
}

/** How the records of a batch are sent. */
export type SendingMode =
  | { via: "live" }
  | { via: "provider"; settings: JobSettings }
  | { via: "export"; folder: string; settings: JobSettings }
  | { via: "import"; paths: readonly string[]; settings: JobSettings };

/** The flags that decide how records are sent. */
export type JobFlags = Pick<
  BatchFlags,
  | "via"
  | "wait"
  | "deadline"
  | "then"
  | "pollInterval"
  | "clean"
  | "adopt"
  | "resend"
  | "export"
  | "import"
>;

/** The flags for jobs that were given, in the form in which users write them. */
function givenJobFlags(flags: JobFlags): string[] {
  const given: [name: string, isGiven: boolean][] = [
    ["--no-wait", !flags.wait],
    ["--deadline", flags.deadline !== undefined],
    ["--then", flags.then !== undefined],
    ["--poll-interval", flags.pollInterval !== undefined],
    ["--clean", flags.clean === true],
    ["--adopt", flags.adopt !== undefined],
    ["--resend", flags.resend === true],
  ];
  return given.filter(([, isGiven]) => isGiven).map(([name]) => name);
}

function refuse(message: string, hint: string): never {
  throw new ConfigurationError(message, { hint });
}

/** Flags that exclude each other in a run that submits jobs. */
function checkPairs(flags: JobFlags): void {
  if (flags.then !== undefined && flags.deadline === undefined) {
    refuse(
      "--then needs --deadline",
      `For example: --deadline 6h --then ${flags.then}`,
    );
  }
  if (!flags.wait && flags.deadline !== undefined) {
    refuse(
      "--deadline and --no-wait exclude each other: a deadline needs a process that waits for it",
      "Remove one of them, or pass --deadline to the run that collects the results.",
    );
  }
  if (!flags.wait && flags.clean) {
    refuse(
      "--clean and --no-wait exclude each other: files are deleted once results are collected",
      "Use --clean in the run that collects the results.",
    );
  }
  if (flags.adopt !== undefined && flags.resend) {
    refuse(
      "--adopt and --resend exclude each other",
      "--adopt uses an existing job; --resend abandons it and submits the records again.",
    );
  }
}

/** Checks the flags of a run that writes or reads files instead of submitting jobs. */
function checkFileMode(flags: JobFlags): void {
  const name = flags.export !== undefined ? "--export" : "--import";
  if (flags.export !== undefined && flags.import !== undefined) {
    refuse(
      "--export and --import exclude each other",
      "Export first, run the files, then import their results.",
    );
  }
  if (flags.via === "live") {
    refuse(`${name} and --via live exclude each other`, "Remove --via live.");
  }
  const others = givenJobFlags(flags).filter((flag) =>
    flag !== "--resend" || flags.import !== undefined
  );
  if (others.length === 0) return;
  refuse(
    `${others.join(" and ")} ${others.length === 1 ? "has" : "have"} no effect with ${name}`,
    `${name} submits no jobs. Remove ${others.length === 1 ? "the flag" : "these flags"}.`,
  );
}

function jobSettings(flags: JobFlags, { jobs }: Pick<BatchSection, "jobs">): JobSettings {
  return {
    wait: flags.wait,
    deadline: flags.deadline,
    afterDeadline: flags.then ?? "stop",
    pollInterval: flags.pollInterval ?? jobs?.poll_interval ?? undefined,
    clean: flags.clean ?? false,
    adopt: flags.adopt,
    resend: flags.resend ?? false,
    limits: {
      rows: jobs?.rows ?? undefined,
      bytes: jobs?.bytes ?? undefined,
      jobs: jobs?.concurrent ?? undefined,
      queuedTokens: jobs?.queued_tokens ?? undefined,
    },
  };
}

/**
 * Decides how records are sent. Flags take precedence over the configuration.
 *
 * @throws {ConfigurationError} if flags exclude each other, or need `--via provider`
 */
export function sendingMode(
  flags: JobFlags,
  section: Pick<BatchSection, "via" | "jobs">,
): SendingMode {
  const settings = jobSettings(flags, section);
  if (flags.export !== undefined || flags.import !== undefined) {
    checkFileMode(flags);
    return flags.export !== undefined
      ? { via: "export", folder: flags.export, settings }
      : { via: "import", paths: flags.import!, settings };
  }
  if ((flags.via ?? section.via ?? "live") === "live") {
    const given = givenJobFlags(flags);
    if (given.length === 0) return { via: "live" };
    refuse(
      `${given.join(" and ")} ${given.length === 1 ? "needs" : "need"} --via provider`,
      flags.via === "live"
        ? "With --via live, no jobs are submitted."
        : "Add --via provider, or set via: provider under batch: in the configuration.",
    );
  }
  checkPairs(flags);
  return { via: "provider", settings };
}

/** Flags that limit live requests. */
const LIVE_FLAGS = [
  ["concurrency", "-c"],
  ["maxQps", "--max-qps"],
  ["maxTpm", "--max-tpm"],
  ["maxInFlight", "--max-in-flight"],
  ["maxWait", "--max-wait"],
] as const;

/** A note about flags that only limit live requests, for a run without any; `undefined` without one. */
export function unusedLiveFlags(
  flags: Pick<BatchFlags, (typeof LIVE_FLAGS)[number][0] | "adaptive">,
  mode: SendingMode,
): string | undefined {
  if (mode.via === "live" || mode.settings.afterDeadline === "live") return undefined;
  const given: string[] = LIVE_FLAGS.filter(([key]) => flags[key] !== undefined)
    .map(([, name]) => name);
  if (!flags.adaptive) given.push("--no-adaptive");
  if (given.length === 0) return undefined;
  return `${given.join(", ")} ${given.length === 1 ? "has" : "have"} no effect: ` +
    "they only limit live requests";
}
