/** The keys that a report must not contain are found wherever a user has them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { knownSecrets, secretsIn } from "../../../commands/report/known_secrets.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("keys are found in all parts of a configuration", () => {
  const secrets = secretsIn({
    models: [{
      id: "m",
      api_key: "key-of-model",
      headers: { "x-team": "header-secret" },
      base_url: "https://user:url-password@example.com/v1?key=query-secret",
    }, { id: "n", api_key: "${OWN_NAME}" }],
    batch: { endpoints: [{ base_url: "https://example.com", api_key: "key-of-endpoint" }] },
    serve: { admin_key: "key-of-admin" },
    redis: "redis://:redis%2Dpassword@localhost",
  }, { OWN_NAME: "key-in-variable" });
  for (
    const secret of [
      "key-of-model",
      "header-secret",
      "url-password",
      "query-secret",
      "key-in-variable",
      "key-of-endpoint",
      "key-of-admin",
      "redis-password",
    ]
  ) assert(secrets.includes(secret), secret);
});

Deno.test("keys of --config and of the batch are known, longer ones first", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "own.yaml");
  writeFileSync(path, "models:\n  - { id: m, api_key: configured-key-123 }\n");
  const known = knownSecrets(path, ["short", "configured-key"]);
  assert(!known.includes("short"));
  assert(known.indexOf("configured-key-123") < known.indexOf("configured-key"));
  assert(known.includes("configured-key"));
  assert.throws(() => knownSecrets(join(folder.path, "none.yaml")), /does not exist/);
});
