/**
 * Maps names and URLs to services, and determines what applies to a model there.
 *
 * @module
 */
import { isOpenAIModel } from "../protocols/openai_models.ts";
import type { Endpoint } from "../protocols/protocol.ts";
import { type Service, type ServiceName, SERVICES } from "./service_table.ts";

export type { Service, ServiceName } from "./service_table.ts";

/** The names of all known services. */
export const SERVICE_NAMES: ServiceName[] = Object.keys(SERVICES) as ServiceName[];

/** What is known of the service `name`. */
export function service(name: ServiceName): Service {
  return SERVICES[name];
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

/** An unknown server. */
const UNKNOWN: Service = { baseUrl: "" };

/** What applies to `model` at `endpoint`. */
export function dialectOf(endpoint: Endpoint, model: string): Service {
  const { service: name } = endpoint;
  if (name === undefined || (endpoint.openaiModelsOnly && !isOpenAIModel(model))) return UNKNOWN;
  return SERVICES[name];
}

/** Whether `endpoint` is OpenAI's API itself, or Azure's. */
export function isOpenAIHost(endpoint: Endpoint): boolean {
  const name = serviceOfUrl(endpoint.baseUrl);
  return name === "openai" || name === "azure";
}
