/** A port of this machine to which no connection can be made: what arrives there gets no reply. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";

/** Listens for one connection at a time, and accepts none. */
const LISTENER = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  process.stdout.write(String(server.address().port), () => process.kill(process.pid, "SIGSTOP"));
});`;

const isBun = "bun" in process.versions;
/** Connections that fill the backlog. Bun's is 512, whatever is asked for. */
const FILLERS = isBun ? 600 : 8;

export interface Blackhole extends AsyncDisposable {
  baseUrl: string;
}

/** Opens the port. */
export async function openBlackhole(): Promise<Blackhole> {
  const flags = isBun ? ["-e", LISTENER] : ["eval", "--ext=cjs", LISTENER];
  const listener = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(listener.stdout, "data");
  const fillers = Array.from({ length: FILLERS }, () => connect(Number(port), "127.0.0.1"));
  for (const filler of fillers) filler.on("error", () => {});
  await once(fillers[0], "connect");
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      listener.kill("SIGKILL");
      await once(listener, "exit");
    },
  };
}
