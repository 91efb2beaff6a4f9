/** Which addresses a gateway may listen on, and the URLs of its clients. */
import assert from "node:assert/strict";
import {
  gatewayUrl,
  refuseOwnAddress,
  requireKeysFor,
} from "../../../commands/serve/listen_address.ts";

const endpoint = { name: "m", model: "m", keySource: undefined };

Deno.test("an address that others can reach needs an active key", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "llm.example.org"]) {
    assert.throws(() => requireKeysFor(host, false), {
      name: "ConfigurationError",
      hint: /flexllm serve virtual-key create NAME[\s\S]*flexllm serve --host 127\.0\.0\.1/,
    }, host);
    requireKeysFor(host, true);
  }
  for (const host of ["127.0.0.1", "localhost", "::1", "127.8.9.1"]) requireKeysFor(host, false);
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
