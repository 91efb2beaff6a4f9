/** docs/configuration.md: every field of the configuration file. */
import * as v from "valibot";
import { configSchema } from "../../lib/config/schema.ts";
import { configTemplate } from "../../lib/config/template.ts";
import { REQUESTS_VARIABLE } from "../../lib/runtime/runtime.ts";

/** A schema as far as it is looked at here. */
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

/** The innermost schema, without the descriptions around it. */
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
      return "text";
    case "boolean":
      return "true or false";
    case "number":
      return isWhole(schema) ? "whole number" : "number";
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

function isWhole(schema: Schema): boolean {
  const { pipe = [] } = unwrapped(schema);
  return pipe.some((item) => item.type === "integer" || (item !== schema && isWhole(item)));
}

function table(entries: Record<string, Schema>): string {
  const rows = Object.entries(entries).map(([name, schema]) =>
    `| \`${name}\` | ${typeOf(schema)} | ${descriptionOf(schema)} |`
  );
  return ["| field | value | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The fields of the section, or of the items of the list, that `schema` is. */
function entriesOf(schema: Schema): Record<string, Schema> {
  const inner = bare(schema);
  if (inner.type === "array") return entriesOf(inner.item!);
  if (inner.type !== "union") return inner.entries!;
  return (inner.options as Schema[]).map(bare).find(({ entries }) => entries)!.entries!;
}

/** The whole page. */
export function configurationPage(): string {
  const top = configSchema.entries as unknown as Record<string, Schema>;
  const batch = entriesOf(top.batch);
  return `<!-- Made of the configuration's schema by \`deno task docs\`; do not edit. -->

# Configuration

One file, YAML, or JSON with comments where its name ends in .json or .jsonc. The first of these that is
there: the one named by \`--config\`, by \`FLEXLLM_CONFIG\`, then what \`flexllm config path\` finds.
\`flexllm init\` writes it, \`flexllm config check\` tells every mistake with line and column,
\`flexllm config show\` what is in force and where each value comes from, and \`flexllm config schema\` prints a
JSON Schema for editors.

What is nearer to the call wins: a record's own options, then flags, then variables of the environment, then
this file.

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

Each is a text, or these two:

${table(entriesOf(bare(top.templates).value!))}

## Environment

| variable | meaning |
| --- | --- |
| \`FLEXLLM_MODEL\`, else \`OPENAI_MODEL\` | The model that is asked when no flag names one; a \`name\` or \`id\` of \`models\`, or any other beside a base URL. |
| \`FLEXLLM_BASE_URL\`, else \`OPENAI_BASE_URL\` | The server that is asked, instead of those in the file. |
| \`FLEXLLM_API_KEY\` | The key for the model that is asked; the endpoints of batches have their own. |
| \`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\`, … | The key of [each service](providers.md#names), sent to that service alone; that of OpenAI also to the server of \`OPENAI_BASE_URL\`. |
| \`FLEXLLM_CONFIG\` | The configuration file. |
| \`FLEXLLM_TRUST\` | \`1\` trusts the configuration in the current folder, as \`flexllm config trust\` does; for scripts. |
| \`FLEXLLM_HOME\` | The folder for the configuration, conversations, prices and the cache; default \`~/.flexllm\`. |
| \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` | The proxy, as the runtime heeds them. |
| \`NO_COLOR\`, \`FORCE_COLOR\` | Colours on the terminal: never, or always. |
| \`VISUAL\`, else \`EDITOR\` | The editor of \`flexllm config edit\`. |
| \`DENO_KV_ACCESS_TOKEN\` | The token of a cache at a KV Connect URL. |
| \`${REQUESTS_VARIABLE}\` | On Bun, the maximum number of requests in flight; default 256, or what a batch needs (\`-c\`). |

## The file that \`flexllm init --yes\` writes

\`\`\`yaml
${configTemplate().trimEnd()}
\`\`\`
`;
}
