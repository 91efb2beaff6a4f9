/**
 * The baseline for gateways: parses the request, renames the model, sends it on and passes the answer back.
 * Prints its base URL, and exits when its stdin is closed.
 *
 * Argument: the base URL of the upstream server.
 */
import process from "node:process";
import { serve } from "../../../lib/runtime/http_server.ts";

const [baseUrl] = process.argv.slice(2);
const url = `${baseUrl}/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer upstream-key" };

const server = await serve("127.0.0.1", 0, async (request) => {
  const { signal } = request;
  const body = await request.json();
  body.model = "upstream-model";
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
  const type = answer.headers.get("content-type")!;
  // Faster than passing the stream on, where the answer is no stream.
  const content = body.stream === true ? answer.body : await answer.arrayBuffer();
  return new Response(content, { status: answer.status, headers: { "content-type": type } });
});
process.stdout.write(`http://127.0.0.1:${server.port}/v1\n`);
process.stdin.on("end", () => process.exit(0)).resume();
