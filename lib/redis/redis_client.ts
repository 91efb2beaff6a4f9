/**
 * Exports the client library, to be loaded with the first connection.
 *
 * A file of its own, because bundlers find the class in a CommonJS package only by a static import.
 *
 * @module
 */
export { Redis } from "ioredis";
