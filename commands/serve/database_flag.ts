/**
 * Defines the flag for the file with the virtual keys, which several commands share.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";

/** `--database`. */
export function databaseFlag() {
  return new Option(
    "--database <file>",
    "file with virtual keys and their spending (default: ~/.flexllm/gateway.db)",
  );
}
