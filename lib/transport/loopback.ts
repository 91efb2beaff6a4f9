/**
 * Recognizes the names of this machine. With DNS rebinding, a web page can point its own domain at
 * 127.0.0.1 and read the answers of a local server; the `Host` header reveals it.
 *
 * @module
 */

const NAME = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i;

/** Whether `host`, without a port, always means this machine. */
export function isLoopback(host: string): boolean {
  return NAME.test(host.replace(/\.$/, ""));
}

/** Makes a check whether a `Host` header names this machine; its port is ignored. */
export function loopbackCheck(): (host: string | null) => boolean {
  let known: string | undefined;
  return (host) => {
    if (host === null) return true;
    // Almost all requests have the same host.
    if (host === known) return true;
    if (!isLoopback(host.replace(/:\d*$/, ""))) return false;
    known = host;
    return true;
  };
}
