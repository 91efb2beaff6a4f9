/**
 * Finds the service that a name or a base URL refers to.
 *
 * @module
 */
import type { Service } from "../protocols/service.ts";
import { type ServiceName, SERVICES } from "./service_table.ts";

export type { ServiceName } from "./service_table.ts";

/** The names of all known services. */
export const SERVICE_NAMES: ServiceName[] = Object.keys(SERVICES) as ServiceName[];

/** A service of the table, with its name. */
type NamedService = Service & { name: ServiceName };

const BY_NAME = Object.fromEntries(
  Object.entries(SERVICES).map(([name, row]) => [name, { name, ...row }]),
) as Record<ServiceName, NamedService>;

/** The service called `name`. */
export function service(name: ServiceName): NamedService {
  return BY_NAME[name];
}

/** The service called `name`; `undefined` when there is none. */
export function serviceNamed(name: string): NamedService | undefined {
  return Object.hasOwn(BY_NAME, name) ? BY_NAME[name as ServiceName] : undefined;
}

/** Other spellings of localhost. */
const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|0\.0\.0\.0)(?=:|$)/;

/** Whether `text` matches `pattern`, in which `*` stands for any text. */
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

/** The service at the host of `baseUrl`; `undefined` when it is not a known one. */
export function serviceOfUrl(baseUrl: string): ServiceName | undefined {
  const url = new URL(baseUrl);
  const host = url.host.replace(LOOPBACK, "localhost");
  return SERVICE_NAMES.find((name) =>
    SERVICES[name].hosts?.some((pattern) => isAt(host, url.pathname, pattern))
  );
}
