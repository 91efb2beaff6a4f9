/**
 * Refuses requests whose `Host` header does not name this machine. A gateway that listens on loopback without
 * keys needs it: with DNS rebinding, any web page could call it under the page's own host name.
 *
 * @module
 */
import { loopbackCheck } from "../../transport/loopback.ts";

type Handler = (request: Request, connection?: unknown) => Response | Promise<Response>;

/** Makes `handler` refuse requests for other hosts than this machine. */
export function localHostsOnly(handler: Handler): Handler {
  const isLocal = loopbackCheck();
  return (request, connection) => {
    const host = request.headers.get("host");
    if (isLocal(host)) return handler(request, connection);
    const message =
      `The gateway only accepts local requests, not requests to the host "${host}". ` +
      "Use localhost or 127.0.0.1. Behind a proxy, create virtual keys: then every host is accepted.";
    return Response.json({ error: { message, type: "forbidden_host", code: "forbidden_host" } }, {
      status: 403,
    });
  };
}
