/** A server that answers the first request and drops the connection at every later one. */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface DroppingServer extends AsyncDisposable {
  baseUrl: string;
  /** The number of requests that arrived. */
  requests(): number;
}

/** Starts the server. The connection of the first request, which gets `answer`, can be used again. */
export async function startDroppingServer(answer: string): Promise<DroppingServer> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: `;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (!String(data).startsWith("POST")) return;
      requests++;
      if (requests === 1) socket.write(`${head}${answer.length}\r\n\r\n${answer}`);
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
