/**
 * Finds out whether collectors accept connections: the exporters repeat refused ones for longer than a command may wait.
 *
 * @module
 */
import { connect } from "node:net";

/** The error of a connection to the server of `url`; `undefined` if it accepts connections. */
function connectionError(url: string): Promise<Error | undefined> {
  const { protocol, hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      // Of an IPv6 address, without the brackets.
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port) || (protocol === "https:" ? 443 : 80),
    });
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", resolve);
  });
}

/** Resolves with an error if none of the servers accepts connections; otherwise, the promise may stay pending. */
export async function unreachable(urls: readonly string[]): Promise<Error | undefined> {
  const errors = await Promise.all(urls.map(connectionError));
  return errors.includes(undefined) ? undefined : errors[0];
}
