/**
 * Maps names and URLs to services, and determines what applies to a model there.
 *
 * @module
 */
import type { Service } from "../protocols/service.ts";
import { type ServiceName, SERVICES } from "./service_table.ts";

export type { ServiceName } from "./service_table.ts";

/** The names of all known services. */
export const SERVICE_NAMES: ServiceName[] = Object.keys(SERVICES) as ServiceName[];

const BY_NAME = Object.fromEntries(
  Object.entries(SERVICES).map(([name, row]) => [name, { name, ...row }]),
) as Record<ServiceName, Service & { name: ServiceName }>;

/** The service called `name`. */
export function service(name: ServiceName): Service & { name: ServiceName } {
  return BY_NAME[name];
}

/** Other spellings of this machine. */
const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|0\.0\.0\.0)(?=:|$)/;

/** Whether `text` is `pattern`, in which `*` stands for any text. */
function matches(text: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return text === pattern;
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

function isAt(host: string, pathname: string, pattern: string): boolean {
  const slash = pattern.indexOf("/");
  if (slash < 0) return matches(host, pattern);
  const path = pattern.slice(slash);
  return matches(host, pattern.slice(0, slash)) &&
    (pathname === path || pathname.startsWith(`${path}/`));
}

/** The service whose host `baseUrl` names, if it is a known one. */
export function serviceOfUrl(baseUrl: string): ServiceName | undefined {
  const url = new URL(baseUrl);
  const host = url.host.replace(LOOPBACK, "localhost");
  return SERVICE_NAMES.find((name) =>
    SERVICES[name].hosts?.some((pattern) => isAt(host, url.pathname, pattern))
  );
}
