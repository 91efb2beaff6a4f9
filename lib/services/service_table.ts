/**
 * Lists the services that can be selected by name, one row of data each. Each column is something that a
 * service does differently from OpenAI's Chat Completions API.
 *
 * Sources: each service's own API documentation ("base URL", "authentication", "reasoning"), as of
 * November 2026; a row names the page where it is not obvious.
 *
 * @module
 */
import type { Service } from "../protocols/service.ts";

/** The name of a known OpenAI-compatible service. */
export type ServiceName =
  | "openai"
  | "azure"
  | "deepseek"
  | "qwen"
  | "zhipu"
  | "zai"
  | "moonshot"
  | "volcengine"
  | "siliconflow"
  | "minimax"
  | "hunyuan"
  | "qianfan"
  | "stepfun"
  | "openrouter"
  | "groq"
  | "mistral"
  | "xai"
  | "together"
  | "fireworks"
  | "cerebras"
  | "huggingface"
  | "nvidia"
  | "deepinfra"
  | "novita"
  | "sambanova"
  | "hyperbolic"
  | "cohere"
  | "perplexity"
  | "venice"
  | "aimlapi"
  | "github"
  | "snowflake"
  | "bedrock"
  | "vertex"
  | "gemini-openai"
  | "ollama"
  | "vllm"
  | "sglang"
  | "llamacpp"
  | "lmstudio";

const LOW_TO_HIGH = ["low", "medium", "high"] as const;

/**
 * Beta features that Google Cloud accepts; it refuses `effort`, `tool-search-tool` and `web-search`
 * (claude-agent-sdk-typescript#307).
 */
const VERTEX_BETAS = [
  "computer-use",
  "context-1m",
  "context-management",
  "dev-full-thinking",
  "interleaved-thinking",
  "output-128k",
  "token-efficient-tools",
] as const;

/** All services, OpenAI's own first. */
export const SERVICES: Record<ServiceName, Omit<Service, "name">> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    hosts: ["api.openai.com"],
    keyVariable: "OPENAI_API_KEY",
    isGenericName: true,
    isOpenAIHost: true,
    otherProtocols: ["responses"],
    maxTokensField: "max_completion_tokens",
    thinking: "effort",
    thinkTags: false,
    batch: "openai",
  },
  // Hosts: Microsoft Learn, "Azure OpenAI in Foundry Models", "Endpoints for Foundry Models" and "API
  // Management". Mistral's models there reject `max_completion_tokens` (pydantic-ai#6593).
  azure: {
    baseUrl: "",
    hosts: [
      "*.openai.azure.com",
      "*.cognitiveservices.azure.com",
      "*.services.ai.azure.com",
      "*.azure-api.net",
      "*.openai.azure.us",
      "*.openai.azure.cn",
    ],
    keyVariable: "AZURE_OPENAI_API_KEY",
    billingPage: "portal.azure.com under Cost Management",
    isOpenAIHost: true,
    keyHeader: "api-key",
    maxTokensField: "max_completion_tokens",
    maxTokensModels: /mistral|ministral|codestral|pixtral/i,
    thinking: "effort",
    hasDeployments: true,
    batch: "openai",
  },

  // Services in China.
  // "Thinking Mode": levels low, high and max.
  deepseek: {
    baseUrl: "https://api.deepseek.com",
    hosts: ["api.deepseek.com"],
    keyVariable: "DEEPSEEK_API_KEY",
    thinking: "deepseek",
    batch: "none",
  },
  // Alibaba Cloud Model Studio, "OpenAI compatible - Chat": international, mainland and US hosts.
  qwen: {
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    hosts: [
      "dashscope-intl.aliyuncs.com",
      "dashscope.aliyuncs.com",
      "dashscope-us.aliyuncs.com",
      "*.maas.aliyuncs.com",
    ],
    keyVariable: "DASHSCOPE_API_KEY",
    billingPage: "the Model Studio console of Alibaba Cloud",
    thinking: "enable_thinking",
    // "Throttling.AllocationQuota" in OpenAI's format: the limit of tokens per minute.
    rateLimitCodes: ["insufficient_quota"],
    batch: "openai",
  },
  // docs.bigmodel.cn, "HTTP API"; docs.z.ai, "Thinking Mode". Keys of one are not valid at the other.
  zhipu: {
    baseUrl: "https://open.bigmodel.cn/api/paas/v4",
    hosts: ["open.bigmodel.cn"],
    keyVariable: "ZHIPUAI_API_KEY",
    thinking: "switch",
    batch: "none",
  },
  zai: {
    baseUrl: "https://api.z.ai/api/paas/v4",
    hosts: ["api.z.ai"],
    keyVariable: "ZAI_API_KEY",
    thinking: "switch",
    batch: "none",
  },
  // platform.kimi.ai, "Thinking Models" and "Kimi K3".
  moonshot: {
    baseUrl: "https://api.moonshot.ai/v1",
    hosts: ["api.moonshot.ai", "api.moonshot.cn"],
    keyVariable: "MOONSHOT_API_KEY",
    thinking: "switch",
    batch: "openai",
  },
  // Volcengine Ark, "Chat API"; BytePlus ModelArk is the same service outside of China.
  volcengine: {
    baseUrl: "https://ark.cn-beijing.volces.com/api/v3",
    hosts: ["ark.*.volces.com", "ark.*.bytepluses.com"],
    keyVariable: "ARK_API_KEY",
    thinking: "switch",
    batch: "none",
  },
  siliconflow: {
    baseUrl: "https://api.siliconflow.cn/v1",
    hosts: ["*.siliconflow.cn", "*.siliconflow.com"],
    keyVariable: "SILICONFLOW_API_KEY",
    thinking: "enable_thinking",
    batch: "openai",
  },
  // platform.minimax.io, "OpenAI Compatible API": thinking is adaptive or disabled.
  minimax: {
    baseUrl: "https://api.minimax.io/v1",
    hosts: ["api.minimax.io", "api.minimaxi.com", "api.minimax.chat"],
    keyVariable: "MINIMAX_API_KEY",
    maxTokensField: "max_completion_tokens",
    thinking: "switch",
    batch: "none",
  },
  hunyuan: {
    baseUrl: "https://api.hunyuan.cloud.tencent.com/v1",
    hosts: ["api.hunyuan.cloud.tencent.com"],
    keyVariable: "HUNYUAN_API_KEY",
    thinking: "enable_thinking",
    batch: "none",
  },
  // Baidu AI Cloud Qianfan, "深度思考": `thinking` or `enable_thinking`, by model.
  qianfan: {
    baseUrl: "https://qianfan.baidubce.com/v2",
    hosts: ["qianfan.baidubce.com"],
    keyVariable: "QIANFAN_API_KEY",
    thinking: "qianfan",
    batch: "none",
  },
  stepfun: {
    baseUrl: "https://api.stepfun.com/v1",
    hosts: ["api.stepfun.com", "api.stepfun.ai"],
    keyVariable: "STEP_API_KEY",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "none",
  },

  // Other services.
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    hosts: ["openrouter.ai"],
    keyVariable: "OPENROUTER_API_KEY",
    thinking: "reasoning",
    batch: "openrouter",
  },
  groq: {
    baseUrl: "https://api.groq.com/openai/v1",
    hosts: ["api.groq.com"],
    keyVariable: "GROQ_API_KEY",
    billingPage: "console.groq.com under Billing",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "openai",
  },
  mistral: {
    baseUrl: "https://api.mistral.ai/v1",
    hosts: ["api.mistral.ai"],
    keyVariable: "MISTRAL_API_KEY",
    billingPage: "admin.mistral.ai under Billing",
    seedField: "random_seed",
    requiredTool: "any",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "mistral",
  },
  xai: {
    baseUrl: "https://api.x.ai/v1",
    hosts: ["api.x.ai"],
    keyVariable: "XAI_API_KEY",
    billingPage: "console.x.ai under Billing",
    thinking: "effort",
    efforts: ["low", "medium", "high", "xhigh"],
    batch: "xai",
  },
  together: {
    baseUrl: "https://api.together.xyz/v1",
    hosts: ["api.together.xyz", "api.together.ai"],
    keyVariable: "TOGETHER_API_KEY",
    billingPage: "api.together.ai under Billing",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "together",
  },
  // docs.fireworks.ai, "Reasoning": levels by model, none knows `minimal`.
  fireworks: {
    baseUrl: "https://api.fireworks.ai/inference/v1",
    hosts: ["api.fireworks.ai"],
    keyVariable: "FIREWORKS_API_KEY",
    thinking: "effort",
    efforts: ["low", "medium", "high", "xhigh", "max"],
    batch: "fireworks",
  },
  cerebras: {
    baseUrl: "https://api.cerebras.ai/v1",
    hosts: ["api.cerebras.ai"],
    keyVariable: "CEREBRAS_API_KEY",
    maxTokensField: "max_completion_tokens",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "openai",
  },
  // "Inference Providers": a router to other services.
  huggingface: {
    baseUrl: "https://router.huggingface.co/v1",
    hosts: ["router.huggingface.co"],
    keyVariable: "HF_TOKEN",
    thinking: "effort",
    batch: "none",
  },
  // NVIDIA NIM for LLMs, "Thinking": a variable of the chat template.
  nvidia: {
    baseUrl: "https://integrate.api.nvidia.com/v1",
    hosts: ["integrate.api.nvidia.com"],
    keyVariable: "NVIDIA_API_KEY",
    thinking: "template",
    batch: "none",
  },
  deepinfra: {
    baseUrl: "https://api.deepinfra.com/v1/openai",
    hosts: ["api.deepinfra.com"],
    keyVariable: "DEEPINFRA_API_KEY",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "none",
  },
  novita: {
    baseUrl: "https://api.novita.ai/openai/v1",
    hosts: ["api.novita.ai"],
    keyVariable: "NOVITA_API_KEY",
    thinking: "enable_thinking",
    batch: "openai",
  },
  sambanova: {
    baseUrl: "https://api.sambanova.ai/v1",
    hosts: ["api.sambanova.ai"],
    keyVariable: "SAMBANOVA_API_KEY",
    thinking: "template",
    batch: "none",
  },
  hyperbolic: {
    baseUrl: "https://api.hyperbolic.xyz/v1",
    hosts: ["api.hyperbolic.xyz"],
    keyVariable: "HYPERBOLIC_API_KEY",
    thinking: "template",
    batch: "none",
  },
  // "Compatibility API": effort none or high only, and no `stream_options` (Strands Agents, "Cohere").
  cohere: {
    baseUrl: "https://api.cohere.ai/compatibility/v1",
    hosts: ["api.cohere.ai", "api.cohere.com"],
    keyVariable: "COHERE_API_KEY",
    thinking: "effort",
    efforts: ["high"],
    streamOptions: false,
    thinkTags: false,
    batch: "none",
  },
  perplexity: {
    baseUrl: "https://api.perplexity.ai",
    hosts: ["api.perplexity.ai"],
    keyVariable: "PERPLEXITY_API_KEY",
    thinking: "effort",
    efforts: ["minimal", "low", "medium", "high"],
    batch: "none",
  },
  venice: {
    baseUrl: "https://api.venice.ai/api/v1",
    hosts: ["api.venice.ai"],
    keyVariable: "VENICE_API_KEY",
    thinking: "reasoning",
    batch: "none",
  },
  aimlapi: {
    baseUrl: "https://api.aimlapi.com/v1",
    hosts: ["api.aimlapi.com"],
    keyVariable: "AIMLAPI_API_KEY",
    thinking: "effort",
    batch: "none",
  },
  // GitHub retired GitHub Models on 2026-07-30; the row is for configurations that still have the URL.
  github: {
    baseUrl: "https://models.github.ai/inference",
    hosts: ["models.github.ai", "models.inference.ai.azure.com"],
    keyVariable: "GITHUB_TOKEN",
    thinking: "effort",
    batch: "none",
  },
  // "Cortex REST API": https://<account>.snowflakecomputing.com/api/v2/cortex/v1
  snowflake: {
    baseUrl: "",
    hosts: ["*.snowflakecomputing.com"],
    keyVariable: "SNOWFLAKE_TOKEN",
    maxTokensField: "max_completion_tokens",
    thinking: "snowflake",
    batch: "none",
  },
  // Amazon Bedrock User Guide, "Chat Completions API": bedrock-runtime.{region}.amazonaws.com/openai/v1
  // and bedrock-mantle.{region}.api.aws/v1, both with a Bedrock API key.
  bedrock: {
    baseUrl: "",
    hosts: ["bedrock-runtime*.amazonaws.com", "bedrock-mantle.*.api.aws"],
    keyVariable: "AWS_BEARER_TOKEN_BEDROCK",
    // Amazon Bedrock User Guide, "Anthropic Claude Messages API": `anthropic_beta`. All others are refused.
    anthropicBetas: [...VERTEX_BETAS, "tool-examples", "tool-search-tool"],
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "none",
  },
  // Vertex AI, "Using OpenAI libraries": …/projects/{p}/locations/{l}/endpoints/openapi, with an access
  // token as the key.
  vertex: {
    baseUrl: "",
    hosts: ["aiplatform.googleapis.com", "*-aiplatform.googleapis.com"],
    anthropicBetas: VERTEX_BETAS,
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "none",
  },
  // Gemini API, "OpenAI compatibility".
  "gemini-openai": {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    hosts: ["generativelanguage.googleapis.com/v1beta/openai"],
    keyVariable: "GEMINI_API_KEY",
    thinking: "effort",
    efforts: ["minimal", "low", "medium", "high"],
    thinkTags: false,
    batch: "none",
  },

  // Self-hosted servers. Ports that other programs also use don't identify a server.
  ollama: {
    baseUrl: "http://localhost:11434/v1",
    hosts: ["localhost:11434", "ollama.com"],
    keyVariable: "OLLAMA_API_KEY",
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    selfHosted: true,
    batch: "none",
  },
  vllm: { baseUrl: "http://localhost:8000/v1", batch: "none" },
  sglang: { baseUrl: "http://localhost:30000/v1", hosts: ["localhost:30000"], batch: "none" },
  llamacpp: { baseUrl: "http://localhost:8080/v1", batch: "none" },
  // LM Studio ignores variables of the chat template; `none` turns thinking off.
  lmstudio: {
    baseUrl: "http://localhost:1234/v1",
    hosts: ["localhost:1234"],
    thinking: "effort",
    efforts: LOW_TO_HIGH,
    batch: "none",
  },
};
