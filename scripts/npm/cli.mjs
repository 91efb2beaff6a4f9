#!/usr/bin/env node
/**
 * Starts the command of the npm package. A runtime that is too old gets a message instead of a stack trace.
 * The warning about node:sqlite is hidden here, because a flag for Node would need `env -S`, which BusyBox
 * (Alpine) does not know.
 */
import module from "node:module";
import process from "node:process";

if (!module.isBuiltin?.("node:sqlite")) {
  const { bun, node } = process.versions;
  const [runtime, remedy] = bun === undefined
    ? [`Node ${node}`, "Install a newer version, or run it on Bun: bunx --bun flexllm"]
    : [`Bun ${bun}`, "Install a newer version: bun upgrade"];
  process.stderr.write(
    `error: flexllm needs Node 22.13 or later, or Bun 1.4 or later; this is ${runtime}\n${remedy}\n`,
  );
  process.exit(1);
}

const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === "object" ? rest[0]?.type : rest[0];
  if (type !== "ExperimentalWarning") emitWarning.call(process, warning, ...rest);
};

await import("./main.js");
