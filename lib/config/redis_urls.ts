/**
 * Lists the Redis servers that a configuration names.
 *
 * @module
 */
import type { Path } from "../files/document.ts";
import type { ConfigValue } from "./schema.ts";

/** The URL of a server, as the file has it, and its place. */
export interface ConfiguredRedis {
  url: string;
  path: Path;
}

/** The server that processes share; `undefined` if none is named. */
export function sharedRedis({ redis }: ConfigValue): ConfiguredRedis | undefined {
  if (redis === undefined || redis === null) return undefined;
  return typeof redis === "string"
    ? { url: redis, path: ["redis"] }
    : { url: redis.url, path: ["redis", "url"] };
}

/** The locations of the caches that are servers, of any kind. */
export function cacheServers({ cache, serve }: ConfigValue): ConfiguredRedis[] {
  const paths: [unknown, Path][] = [[cache, ["cache", "path"]], [serve?.cache, [
    "serve",
    "cache",
    "path",
  ]]];
  return paths.flatMap(([section, path]) => {
    const url = (section as { path?: string } | null | undefined)?.path;
    return typeof url === "string" && /^\w+:\/\//.test(url) ? [{ url, path }] : [];
  });
}

/** All Redis servers: the shared one, and those of caches. */
export function configuredRedis(value: ConfigValue): ConfiguredRedis[] {
  const shared = sharedRedis(value);
  const caches = cacheServers(value).filter(({ url }) => /^rediss?:/i.test(url));
  return [...shared === undefined ? [] : [shared], ...caches];
}
