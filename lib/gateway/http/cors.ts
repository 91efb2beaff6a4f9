/**
 * Lets browsers call the gateway from listed origins, and from no other.
 *
 * Source: WHATWG Fetch, "CORS protocol".
 *
 * @module
 */

const METHODS = "GET, POST";
/** Seconds for which browsers may keep a preflight's answer. */
const MAX_AGE = "600";
/** Headers that pages may read in addition to the usual ones. */
const EXPOSED = "*";

/** The headers that allow a listed origin to read an answer. */
export function corsHeaders(request: Request, origins: readonly string[]): Record<string, string> {
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) return { vary: "Origin" };
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": EXPOSED,
    vary: "Origin",
  };
}

/** Whether a request only asks what a browser may send. */
export function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("origin") &&
    request.headers.has("access-control-request-method");
}

/** Answers a preflight with the `headers` of {@link corsHeaders}. */
export function preflightResponse(
  request: Request,
  headers: Record<string, string>,
): Response {
  if (headers["access-control-allow-origin"] === undefined) {
    return new Response(null, { status: 403, headers });
  }
  const requested = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      "access-control-allow-methods": METHODS,
      // Every header is allowed: none of them selects a server or a provider's key.
      ...requested === null ? {} : { "access-control-allow-headers": requested },
      "access-control-max-age": MAX_AGE,
      vary: "Origin, Access-Control-Request-Headers",
    },
  });
}

/** Adds `headers` to an answer. */
export function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) {
    if (name === "vary") response.headers.append(name, value);
    else response.headers.set(name, value);
  }
  return response;
}

/** Whether `origin` is neither the gateway's own nor a listed one. */
export function isForeign(
  origin: string,
  headers: Headers,
  origins: readonly string[] | undefined,
): boolean {
  return !origins?.includes(origin) && URL.parse(origin)?.host !== headers.get("host");
}
