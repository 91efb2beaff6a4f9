/** The providers whose batch APIs are tortured, and how a configuration names them at the mock. */

export interface Provider {
  /** The name in reports. */
  name: string;
  /** `provider` in the configuration. */
  provider: string;
  /** The path of the base URL at the mock. */
  base: string;
  model: string;
  /** How its jobs get their rows; the others have them in the create. */
  rows?: "upload" | "fill";
  /** @default true */
  hasCancel?: boolean;
  /** The answers report their own cost, which the price in the configuration does not predict. */
  reportsCost?: boolean;
  /** A job has neither a label nor a file by which it is found again. */
  isUnlabeled?: boolean;
}

export const PROVIDERS: readonly Provider[] = [
  { name: "openai", provider: "openai", base: "/v1", model: "m", rows: "upload" },
  { name: "azure", provider: "azure", base: "/azure/openai/v1", model: "m", rows: "upload" },
  { name: "groq", provider: "groq", base: "/groq/openai/v1", model: "m", rows: "upload" },
  { name: "together", provider: "together", base: "/together/v1", model: "m", rows: "upload" },
  { name: "mistral", provider: "mistral", base: "/mistral/v1", model: "m", rows: "upload" },
  {
    name: "anthropic",
    provider: "claude",
    base: "/anthropic/v1",
    model: "claude-haiku-4-5",
    isUnlabeled: true,
  },
  { name: "gemini", provider: "gemini", base: "/gemini/v1beta", model: "gemini-2.5-flash" },
  {
    name: "xai",
    provider: "xai",
    base: "/xai/v1",
    model: "grok-5",
    rows: "fill",
    reportsCost: true,
  },
  {
    name: "openrouter",
    provider: "openrouter",
    base: "/openrouter/api/v1",
    model: "openai/gpt-5-mini",
    hasCancel: false,
    reportsCost: true,
    isUnlabeled: true,
  },
  {
    name: "fireworks",
    provider: "fireworks",
    base: "/fireworks/inference/v1",
    model: "accounts/fireworks/models/qwen3-8b",
    rows: "upload",
    hasCancel: false,
  },
  { name: "siliconflow", provider: "siliconflow", base: "/v1", model: "m", rows: "upload" },
  { name: "dashscope", provider: "qwen", base: "/v1", model: "m", rows: "upload" },
];
