/**
 * Hosts of this machine. A web page can point its own domain at 127.0.0.1 ("DNS rebinding") and then
 * read the answers of a local server; the `Host` header reveals it.
 *
 * @module
 */

const NAME = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i;

/** Whether `host`, without a port, only reaches this machine. */
export function isLoopback(host: string): boolean {
  return NAME.test(host.replace(/\.$/, ""));
}

/** Returns a check whether a `Host` header, with or without a port, names this machine. */
export function loopbackCheck(): (host: string | null) => boolean {
  let known: string | undefined;
  return (host) => {
    if (host === null) return true;
    // Nearly all requests of a run have the same host.
    if (host === known) return true;
    if (!isLoopback(host.replace(/:\d*$/, ""))) return false;
    known = host;
    return true;
  };
}
