/**
 * Hosts of this machine. A web page can point a name of its own at 127.0.0.1 ("DNS rebinding") and then
 * read what a local server answers; the `Host` header gives it away.
 *
 * @module
 */

const NAME = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i;

/** Whether `host`, without a port, only reaches this machine. */
export function isLoopback(host: string): boolean {
  return NAME.test(host.replace(/\.$/, ""));
}

/** Makes the check of `Host` headers: whether one, with or without a port, is of this machine. */
export function loopbackCheck(): (host: string | null) => boolean {
  let known: string | undefined;
  return (host) => {
    if (host === null) return true;
    // Nearly all requests of a run have the same one.
    if (host === known) return true;
    if (!isLoopback(host.replace(/:\d*$/, ""))) return false;
    known = host;
    return true;
  };
}
