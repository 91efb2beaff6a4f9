/**
 * What protocols need to know about the service they talk to. The services themselves are rows of a table
 * in services/service_table.ts.
 *
 * @module
 */
import type { ThinkingLevel } from "../chat/options.ts";
import type { ThinkingDialect } from "./openai_chat/thinking.ts";
import { isOpenAIModel } from "./openai_model_features.ts";

/** A service: what it does differently from others that speak the same wire format. */
export interface Service {
  /** The name by which users select it. */
  name: string;
  /** The base URL, including the version; empty if each customer has a different one. */
  baseUrl: string;
  /**
   * The hosts of the service, with a port unless it is the default one; `*` matches any text.
   * A path after the host must be the beginning of the base URL's path.
   */
  hosts?: readonly string[];
  /** The environment variable that customarily holds the key. */
  keyVariable?: string;
  /** The web page that shows the balance, for services without an API for it. */
  billingPage?: string;
  /**
   * Whether other tools use the name for any server that speaks the same format: a known host then
   * overrides the name.
   */
  isGenericName?: true;
  /** Whether its hosts serve OpenAI's models under OpenAI's rules, whatever their deployments are called. */
  isOpenAIHost?: true;
  /** Names of wire formats, besides Chat Completions, to use for requests that need them. */
  otherProtocols?: readonly string[];
  /**
   * The field that limits the output tokens. OpenAI's reasoning models reject `max_tokens`; many
   * other services only accept that. @default "max_tokens"
   */
  maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Models of the service that only accept `max_tokens`. */
  maxTokensModels?: RegExp;
  /** The field that holds the seed. @default "seed" */
  seedField?: string;
  /** The value of `tool_choice` that requires a tool call. @default "required" */
  requiredTool?: string;
  /** How thinking is requested. @default "template", which self-hosted servers use */
  thinking?: ThinkingDialect;
  /** The levels that `reasoning_effort` accepts, if not all; the nearest one is sent. */
  efforts?: readonly ThinkingLevel[];
  /** Whether `stream_options` is accepted; default yes. */
  streamOptions?: false;
  /**
   * Whether thinking can arrive in the answer's text, between `<think>` tags; default yes: it depends on
   * the model (Azure's DeepSeek-R1 does that) and on how a server was started.
   */
  thinkTags?: false;
  /** The header that holds the bare key; default a bearer token in `authorization`. */
  keyHeader?: string;
  /**
   * The beta features of Anthropic's API that it accepts, as in `anthropic-beta` but without their dates;
   * default all, since most services ignore those that they lack.
   */
  anthropicBetas?: readonly string[];
  /** Error codes that mean a rate limit here, although they mean a used-up quota elsewhere. */
  rateLimitCodes?: readonly string[];
  /** Whether users run it themselves, often without a parser for a model's thinking. */
  selfHosted?: true;
  /**
   * The batch API, by the provider that designed it; `none` if the service has none that flexllm can use.
   * @default the one that belongs to the wire format
   */
  batch?: "openai" | "mistral" | "together" | "xai" | "openrouter" | "fireworks" | "none";
  /**
   * Whether URLs can name a deployment, which only has some of the operations (source:
   * `_deployments_endpoints` of the `openai` package's Azure client).
   */
  hasDeployments?: true;
}

/** A server that is not a known service. */
const UNKNOWN: Service = { name: "", baseUrl: "", selfHosted: true };

/** The service whose rules apply to `model` at an endpoint. */
export function serviceFor(
  { service, openaiModelsOnly }: { service?: Service; openaiModelsOnly?: boolean },
  model: string,
): Service {
  return service === undefined || (openaiModelsOnly && !isOpenAIModel(model)) ? UNKNOWN : service;
}
