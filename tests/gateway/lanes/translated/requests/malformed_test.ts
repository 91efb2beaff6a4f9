/** Whatever a client sends, the lane translates it or refuses it: it never fails in another way. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { GatewayError } from "../../../../../lib/gateway/gateway_error.ts";
import type { Json } from "../../../../../lib/json/json.ts";
import { CHAT, CLAUDE, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import { ENDPOINTS, translate } from "../../../../support/translated_request.ts";

const CLIENTS = { chat: CHAT, responses: RESPONSES, claude: CLAUDE, gemini: GEMINI };

/** The paths of all values in `value`. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, field]) => pathsOf(field, [...path, name]));
  return path.length === 0 ? inner : [path, ...inner];
}

/** Replaces the value at `path`; `undefined` removes it. */
function replace(body: Json, path: readonly string[], value: unknown): void {
  let owner = body;
  for (const name of path.slice(0, -1)) {
    const next = owner[name];
    // An earlier change has removed it.
    if (typeof next !== "object" || next === null) return;
    owner = next as Json;
  }
  const name = path.at(-1)!;
  if (value !== undefined) owner[name] = value;
  else if (Array.isArray(owner)) owner.splice(Number(name), 1);
  else delete owner[name];
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", "x", 0, -1, 1.5, true, [], {}, [null], [[]]),
  fc.jsonValue({ maxDepth: 2 }),
);

for (const [name, format] of Object.entries(CLIENTS)) {
  const text = readFileSync(
    new URL(`../../../../fixtures/gateway/requests/${name}.json`, import.meta.url),
    "utf8",
  );
  const paths = pathsOf(JSON.parse(text));
  Deno.test(`malformed requests of ${name} clients are translated or refused`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...paths), odd), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...Object.values(ENDPOINTS)),
        (changes, endpoint) => {
          const body = JSON.parse(text);
          // A copy, since a later change may be made inside of it.
          for (const [path, value] of changes) replace(body, path, structuredClone(value));
          try {
            translate(format, body, endpoint);
          } catch (error) {
            assert.ok(error instanceof GatewayError, String((error as Error).stack));
            assert.equal(error.status, 400);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
}
