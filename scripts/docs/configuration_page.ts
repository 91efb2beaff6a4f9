/** Generates docs/configuration.md: every field of the configuration file. */
import * as v from "valibot";
import { configSchema } from "../../lib/config/schema.ts";
import { configTemplate } from "../../lib/config/initial_config.ts";
import { REQUESTS_VARIABLE } from "../../lib/runtime/runtime.ts";

/** The parts of a schema that are used here. */
interface Schema {
  type: string;
  wrapped?: Schema;
  options?: readonly unknown[];
  item?: Schema;
  entries?: Record<string, Schema>;
  value?: Schema;
  pipe?: readonly Schema[];
}

function unwrapped(schema: Schema): Schema {
  return schema.wrapped === undefined ? schema : unwrapped(schema.wrapped);
}

/** The innermost schema, without descriptions. */
function bare(schema: Schema): Schema {
  const [inner] = unwrapped(schema).pipe ?? [];
  return inner === undefined || inner === schema ? unwrapped(schema) : bare(inner);
}

function descriptionOf(schema: Schema): string {
  return v.getDescription(unwrapped(schema) as unknown as v.GenericSchema) ?? "";
}

function typeOf(schema: Schema): string {
  const inner = bare(schema);
  switch (inner.type) {
    case "string":
      return "string";
    case "boolean":
      return "true or false";
    case "number":
      return isInteger(schema) ? "integer" : "number";
    case "picklist":
      return inner.options!.map((option) => `\`${option}\``).join(", ");
    case "array":
      return "list";
    case "record":
      return "name: value pairs";
    case "union":
      return [...new Set((inner.options as Schema[]).map(typeOf))].join(", or ");
    default:
      return "section";
  }
}

function isInteger(schema: Schema): boolean {
  const { pipe = [] } = unwrapped(schema);
  return pipe.some((item) => item.type === "integer" || (item !== schema && isInteger(item)));
}

function table(entries: Record<string, Schema>): string {
  const rows = Object.entries(entries).map(([name, schema]) =>
    `| \`${name}\` | ${typeOf(schema)} | ${descriptionOf(schema)} |`
  );
  return ["| field | value | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The fields of a section, or of the items of a list. */
function entriesOf(schema: Schema): Record<string, Schema> {
  const inner = bare(schema);
  if (inner.type === "array") return entriesOf(inner.item!);
  if (inner.type !== "union") return inner.entries!;
  return (inner.options as Schema[]).map(bare).find(({ entries }) => entries)!.entries!;
}

/** Generates the page. */
export function configurationPage(): string {
  const top = configSchema.entries as unknown as Record<string, Schema>;
  const batch = entriesOf(top.batch);
  const serve = entriesOf(top.serve);
  return `<!-- Generated from the configuration's schema by \`deno task docs\`; do not edit. -->

# Configuration

flexllm reads one configuration file, in YAML, or in JSON with comments if its name ends in .json or .jsonc.
It uses the first of these that exists:

1. the file given with \`--config\`
2. the file named by \`FLEXLLM_CONFIG\`
3. \`flexllm_config.yaml\` in the current directory
4. \`~/.flexllm/config.yaml\`

Each of the last two can also end in \`.yml\`, \`.jsonc\` or \`.json\`; \`flexllm config path\` prints the file in
use. \`flexllm init\` writes one, \`flexllm config check\` reports every mistake with line and column,
\`flexllm config show\` lists every effective setting and its source, and \`flexllm config schema\` prints a JSON
Schema for editors.

The most specific setting wins: a record's own options override flags, flags override environment variables,
and environment variables override the file. A key is only sent to the server it was configured for; see
[API keys](keys.md) for where keys can come from.

${table(top)}

## models

${table(entriesOf(top.models))}

## batch

${table(batch)}

## batch.endpoints

${table(entriesOf(batch.endpoints))}

## serve

The settings of [the gateway](gateway.md).

${table(serve)}

## serve.routes

A route is a model, a list of models, or a section with these fields:

${table(entriesOf(bare(serve.routes).value!))}

## serve.limits

The limits of the whole gateway; each of \`serve.teams\` has the same fields.

${table(entriesOf(serve.limits))}

## cache

${table(entriesOf(top.cache))}

## templates

A template is either a text or a section with these fields:

${table(entriesOf(bare(top.templates).value!))}

## Environment

| variable | meaning |
| --- | --- |
| \`FLEXLLM_MODEL\`, else \`OPENAI_MODEL\` | The model to use if no flag names one: a \`name\` or \`id\` of \`models\`, or, together with a base URL, any model. |
| \`FLEXLLM_BASE_URL\`, else \`OPENAI_BASE_URL\` | The server to use instead of those in the file. |
| \`FLEXLLM_API_KEY\` | The API key of the model in use. Endpoints of batches have their own keys. |
| \`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\`, … | The key of [each service](providers.md#names), sent only to that service; OpenAI's is also sent to the server of \`OPENAI_BASE_URL\`. |
| \`FLEXLLM_ADMIN_KEY\` | The admin key of \`flexllm serve\`, instead of \`serve.admin_key\`. |
| \`FLEXLLM_CONFIG\` | The configuration file. |
| \`FLEXLLM_TRUST\` | \`1\` trusts the configuration in the current directory, like \`flexllm config trust\`; for scripts. |
| \`FLEXLLM_HOME\` | The directory for the configuration, keys, conversations, prices and the cache; default \`~/.flexllm\`. |
| \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` | The proxy to use. |
| \`NO_COLOR\`, \`FORCE_COLOR\` | Never or always use colors. |
| \`FORCE_HYPERLINK\` | \`1\` or \`0\`: always or never make links in answers clickable. |
| \`VISUAL\`, else \`EDITOR\` | The editor for \`config edit\`, \`template edit\` and \`/edit\` in a chat. |
| \`DENO_KV_ACCESS_TOKEN\` | The access token of a cache at a KV Connect URL. |
| \`${REQUESTS_VARIABLE}\` | On Bun, the maximum number of concurrent requests; default 256, or what a batch needs (\`-c\`). |

## Example

\`flexllm init --yes\` writes this file:

\`\`\`yaml
${configTemplate().trimEnd()}
\`\`\`
`;
}
