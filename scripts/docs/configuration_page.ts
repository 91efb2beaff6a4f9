/** Generates docs/configuration.md: every field of the configuration file. */
import * as v from "valibot";
import { configSchema } from "../../lib/config/schema.ts";
import { configTemplate } from "../../lib/config/template.ts";
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
  return `<!-- Generated from the configuration's schema by \`deno task docs\`; do not edit. -->

# Configuration

flexllm reads one configuration file: the one given with \`--config\` or \`FLEXLLM_CONFIG\`, or else the one
that \`flexllm config path\` prints. It is YAML, or JSON with comments if its name ends in .json or .jsonc.
\`flexllm init\` writes it, \`flexllm config check\` reports mistakes with line and column,
\`flexllm config show\` lists every effective setting and its source, and \`flexllm config schema\` prints a
JSON Schema for editors.

The options of a record override flags, flags override environment variables, and those override this file.

${table(top)}

## models

${table(entriesOf(top.models))}

## batch

${table(batch)}

## batch.endpoints

${table(entriesOf(batch.endpoints))}

## cache

${table(entriesOf(top.cache))}

## templates

Each template is a string, or has these fields:

${table(entriesOf(bare(top.templates).value!))}

## Environment

| variable | meaning |
| --- | --- |
| \`FLEXLLM_MODEL\`, else \`OPENAI_MODEL\` | The model to use if no flag names one: a \`name\` or \`id\` from \`models\`, or any model together with a base URL. |
| \`FLEXLLM_BASE_URL\`, else \`OPENAI_BASE_URL\` | The server to use instead of those in the file. |
| \`FLEXLLM_API_KEY\` | The API key for that model. The endpoints of batches have their own keys. |
| \`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\`, … | The key of [each service](providers.md#names), sent only to that service. OpenAI's is also sent to the server in \`OPENAI_BASE_URL\`. |
| \`FLEXLLM_CONFIG\` | The configuration file. |
| \`FLEXLLM_TRUST\` | \`1\` trusts the configuration in the current directory, like \`flexllm config trust\`; for scripts. |
| \`FLEXLLM_HOME\` | The directory for the configuration, conversations, prices and the cache. Default: \`~/.flexllm\`. |
| \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` | The proxy, as supported by the runtime. |
| \`NO_COLOR\`, \`FORCE_COLOR\` | Never or always use colors on the terminal. |
| \`VISUAL\`, else \`EDITOR\` | The editor for \`flexllm config edit\`. |
| \`DENO_KV_ACCESS_TOKEN\` | The access token for a cache at a KV Connect URL. |
| \`${REQUESTS_VARIABLE}\` | On Bun, the maximum number of requests in flight. Default: 256, or what a batch needs (\`-c\`). |

## Example

\`flexllm init --yes\` writes this file:

\`\`\`yaml
${configTemplate().trimEnd()}
\`\`\`
`;
}
