/**
 * Lists the platforms that a release has binaries for.
 *
 * @module
 */

/** One platform. */
export interface Target {
  /** Its name in file names, installers and packages. */
  name: string;
  /** Its name for `deno compile --target`. */
  deno: string;
  /** Its name for `bun build --target`. */
  bun: string;
}

/** All platforms. */
export const TARGETS: readonly Target[] = [
  { name: "linux-x64", deno: "x86_64-unknown-linux-gnu", bun: "bun-linux-x64" },
  { name: "linux-arm64", deno: "aarch64-unknown-linux-gnu", bun: "bun-linux-arm64" },
  { name: "macos-x64", deno: "x86_64-apple-darwin", bun: "bun-darwin-x64" },
  { name: "macos-arm64", deno: "aarch64-apple-darwin", bun: "bun-darwin-arm64" },
  { name: "windows-x64", deno: "x86_64-pc-windows-msvc", bun: "bun-windows-x64" },
];

/** The file name of a platform's binary. */
export function fileOf({ name }: Target): string {
  return `flexllm-${name}${name.startsWith("windows") ? ".exe" : ""}`;
}
