/** Which addresses a gateway may listen on, and the URLs of its clients. */
import assert from "node:assert/strict";
import {
  gatewayUrl,
  refuseOwnAddress,
  requireKeysFor,
} from "../../../commands/serve/listen_address.ts";
import { createKeyCommand } from "../../../commands/serve/serve_flags.ts";

const CREATE = createKeyCommand({ database: "keys.db" });
const endpoint = { name: "m", model: "m", keySource: undefined };

Deno.test("an address that others can reach needs an active key", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "llm.example.org"]) {
    assert.throws(() => requireKeysFor(host, false, CREATE), {
      name: "ConfigurationError",
      hint: /create NAME --database keys\.db\n[\s\S]*flexllm serve --host 127\.0\.0\.1/,
    }, host);
    requireKeysFor(host, true, CREATE);
  }
  for (const host of ["127.0.0.1", "localhost", "::1", "127.8.9.1"]) {
    requireKeysFor(host, false, CREATE);
  }
});

Deno.test("the command that creates a key names the files of the gateway", () => {
  assert.equal(createKeyCommand({}), "flexllm serve virtual-key create NAME");
  assert.equal(
    createKeyCommand({ database: "my keys.db", config: "team.yaml" }),
    "flexllm serve virtual-key create NAME --database 'my keys.db' --config team.yaml",
  );
});

Deno.test("the URL of a gateway on every interface is the one on this machine", () => {
  assert.equal(gatewayUrl("0.0.0.0", 80), "http://127.0.0.1:80");
  assert.equal(gatewayUrl("::", 80), "http://127.0.0.1:80");
  assert.equal(gatewayUrl("::1", 8080), "http://[::1]:8080");
  assert.equal(gatewayUrl("localhost", 8080), "http://localhost:8080");
});

Deno.test("a gateway is not its own provider", () => {
  const at = (baseUrl: string) => [{ ...endpoint, baseUrl }];
  for (const baseUrl of ["http://localhost:8080/v1", "http://127.0.0.1:8080"]) {
    assert.throws(() => refuseOwnAddress("0.0.0.0", 8080, at(baseUrl)), {
      message: /the model m is at .*:8080, where this gateway is going to listen/,
    });
  }
  refuseOwnAddress("127.0.0.1", 8080, at("http://127.0.0.1:8001/v1"));
  refuseOwnAddress("127.0.0.1", 8080, at("https://llm.example.org:8080/v1"));
  refuseOwnAddress("192.168.1.5", 8080, at("http://127.0.0.1:8080/v1"));
});
