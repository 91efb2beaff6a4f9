/**
 * Commands, and how the client library takes them.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A command and its arguments. */
export type RedisCommand = readonly [name: string, ...args: RedisArgument[]];

/** An argument of a command or script. */
export type RedisArgument = string | number | Uint8Array;

/** Whether the texts of a reply are decoded. */
export type RedisReplies = "text" | "bytes";

/** The client library only takes bytes as a `Buffer`. */
export function argumentOf(argument: RedisArgument): string | number | Buffer {
  return argument instanceof Uint8Array
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
    : argument;
}

/** Commands for a pipeline or transaction. */
export function asCalls(commands: readonly RedisCommand[]): (string | number | Buffer)[][] {
  return commands.map(([name, ...args]) => ["call", name, ...args.map(argumentOf)]);
}
