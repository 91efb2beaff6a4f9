/**
 * Lists the environment variables that belong to a service, and the hosts they may be sent to without approval.
 *
 * Sources: each service's documentation of environment variables and API hosts. Hosts where customers
 * run their own code (functions, gateways, virtual machines) are excluded.
 *
 * @module
 */
import { keyNameOf } from "../keys/key_names.ts";
import { PROTOCOLS } from "../protocols/registry.ts";
import { keyVariableOf } from "../services/providers.ts";
import { isLoopback, isPrivateHost } from "../services/private_host.ts";
import { service, SERVICE_NAMES } from "../services/services.ts";
import type { Environment } from "../files/paths.ts";

/** Variables and the hosts of the service that owns them; a leading dot matches any subdomain. */
const OWNERS: readonly (readonly [names: RegExp, hosts?: readonly string[]])[] = [
  [/^(OPENAI|CODEX)_/, ["api.openai.com", ".api.openai.com"]],
  [/^(ANTHROPIC|CLAUDE)_/, ["api.anthropic.com"]],
  [/^(GEMINI|GOOGLE|GCP|GCLOUD|CLOUDSDK|VERTEX)_/, [".googleapis.com"]],
  [/^(AZURE|ARM)_/, [
    ".openai.azure.com",
    ".ai.azure.com",
    ".cognitiveservices.azure.com",
    ".api.cognitive.microsoft.com",
  ]],
  [/^(AWS|BEDROCK)_/],
  [/^(GITHUB|GH)_/, ["models.github.ai", "api.github.com", "models.inference.ai.azure.com"]],
  [/^(HF|HUGGINGFACE|HUGGING_FACE|HUGGINGFACEHUB)_/, ["huggingface.co", ".huggingface.co"]],
  [/^(CLOUDFLARE|CF)_/, ["api.cloudflare.com", "gateway.ai.cloudflare.com"]],
  [/^(AI_GATEWAY_|VERCEL_)/, ["ai-gateway.vercel.sh"]],
  [/^DIGITALOCEAN_/, ["inference.do-ai.run", "api.digitalocean.com"]],
  [/^DATABRICKS_/, [".cloud.databricks.com", ".azuredatabricks.net", ".gcp.databricks.com"]],
  [/^(COHERE|CO)_API_KEY$/, ["api.cohere.com", "api.cohere.ai"]],
  [/^(MOONSHOT|KIMI)_/, ["api.moonshot.cn", "api.moonshot.ai"]],
  [/^(ZHIPU|ZHIPUAI|BIGMODEL|ZAI|GLM)_/, ["open.bigmodel.cn", "api.z.ai"]],
  [/^(ARK|VOLC|VOLCENGINE)_/, [".volces.com", ".bytepluses.com"]],
  [/^(DASHSCOPE|QWEN|ALIBABA_CLOUD|ALIYUN)_/, [".aliyuncs.com"]],
  [/^(NVIDIA|NGC)_/, ["integrate.api.nvidia.com"]],
  [/^(XAI|GROK)_/, ["api.x.ai"]],
  [/^(PERPLEXITY|PPLX)_/, ["api.perplexity.ai"]],
  [/^(FIREWORKS)_/, ["api.fireworks.ai"]],
  [/^(REPLICATE)_/, ["api.replicate.com"]],
  [/^(CEREBRAS)_/, ["api.cerebras.ai"]],
  [/^(SAMBANOVA)_/, ["api.sambanova.ai"]],
  [/^(MINIMAX)_/, ["api.minimax.chat", "api.minimax.io", "api.minimaxi.com"]],
  [/^(TENCENTCLOUD|HUNYUAN)_/, ["api.hunyuan.cloud.tencent.com"]],
  [/^(QIANFAN|BAIDU|BCE)_/, ["qianfan.baidubce.com"]],
  [/^DENO_KV_ACCESS_TOKEN$/, ["api.deno.com"]],
  // The user's own: for any service, but not for a server that somebody else chose.
  [/^FLEXLLM_API_KEY$/],
  // Never meant for a model server.
  [/^(GITLAB|BITBUCKET|CI_JOB|NPM|NODE_AUTH|PYPI|TWINE|CARGO_REGISTRY|JSR|DENO_DEPLOY|DOCKER)_/],
  [/^(SLACK|DISCORD|TELEGRAM|STRIPE|TWILIO|SENDGRID|DATADOG|DD_API|SENTRY|NETLIFY|HEROKU|FLY)_/],
  [/^(VAULT|KUBE|OP_SERVICE|PULUMI|TF_VAR|TFE|SSH|GPG|PGPASS|MYSQL|POSTGRES|REDIS|MONGO)/],
  [/^(DATABASE_URL|OS_PASSWORD)$/],
];

/** Variables that are not secret: locations, names and versions. */
const HARMLESS =
  /_(BASE_URL|ENDPOINT|API_BASE|BASE|HOST|REGION|LOCATION|PROJECT|MODEL|DEPLOYMENT|VERSION)$/;

/** Domains of a service where customers run their own servers. */
const CUSTOMER_HOSTS = /\.azure-api\.net$/;

const SERVICE_KEYS: ReadonlySet<string | undefined> = new Set([
  ...SERVICE_NAMES.map((name) => service(name).keyVariable),
  ...PROTOCOLS.map(({ official }) => official?.keyVariable),
]);

/** Whether another variable of the same service names `host`, as `OPENAI_BASE_URL` does. */
function isChosenHost(variable: string, host: string, env: Environment): boolean {
  const [owner] = variable.split("_");
  const isOwn = (name: string) =>
    name.startsWith(`${owner}_`) || owner === "FLEXLLM" && name === "OPENAI_BASE_URL";
  return Object.entries(env).some(([name, value]) =>
    isOwn(name) && /_(BASE_URL|ENDPOINT|API_BASE|HOST)$/.test(name) &&
    URL.parse(value ?? "")?.host === host
  );
}

/**
 * Whether `variable` belongs to one service and `baseUrl` to another, or is not encrypted on its way there.
 *
 * @param baseUrl a base URL, possibly invalid
 */
export function isForeign(variable: string, baseUrl: string, env: Environment): boolean {
  const owner = OWNERS.find(([names]) => names.test(variable));
  if ((owner === undefined && !SERVICE_KEYS.has(variable)) || HARMLESS.test(variable)) return false;
  const url = URL.parse(baseUrl);
  if (url === null) return true;
  if (isChosenHost(variable, url.host, env)) return false;
  if (CUSTOMER_HOSTS.test(url.hostname)) return true;
  // The author of the configuration could intercept unencrypted requests.
  if (url.protocol !== "https:" && !isPrivateHost(url.hostname)) return true;
  // The user's own key, for a server that runs on this machine.
  if (variable === "FLEXLLM_API_KEY" && isLoopback(url.hostname)) return false;
  const expected = keyVariableOf(baseUrl);
  if (expected === variable || expected !== undefined && variable === "FLEXLLM_API_KEY") {
    return false;
  }
  return !owner?.[1]?.some((host) =>
    host.startsWith(".") ? url.hostname.endsWith(host) : url.hostname === host
  );
}

/**
 * Whether the stored key called `name` is not that of the service at `baseUrl`. Every stored key is secret, so
 * a name that belongs to no service is foreign everywhere.
 *
 * @param baseUrl a base URL, possibly invalid
 */
export function isForeignKey(name: string, baseUrl: string, env: Environment): boolean {
  if (!URL.canParse(baseUrl) || keyNameOf(baseUrl) !== name) return true;
  return isForeign(keyVariableOf(baseUrl)!, baseUrl, env);
}
