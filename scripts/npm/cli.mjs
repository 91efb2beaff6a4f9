#!/usr/bin/env node
/**
 * Starts the command of the npm package. An old Node gets a message instead of a stack trace, and the
 * warning about node:sqlite is hidden here because `env -S`, which could pass a flag to Node, is unknown
 * to BusyBox (Alpine).
 */
import process from "node:process";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `error: flexllm needs Node 22.13 or later; this is Node ${process.versions.node}\n` +
      "Install a newer Node, or run it on Bun: bunx --bun flexllm\n",
  );
  process.exit(1);
}

const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === "object" ? rest[0]?.type : rest[0];
  if (type !== "ExperimentalWarning") emitWarning.call(process, warning, ...rest);
};

await import("./main.js");
