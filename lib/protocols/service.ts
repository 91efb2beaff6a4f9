/**
 * What a wire format has to know about the service that it talks to. The services themselves are rows of
 * a table in services/service_table.ts.
 *
 * @module
 */
import type { ThinkingLevel } from "../chat/options.ts";
import type { ThinkingDialect } from "./openai_chat/thinking.ts";
import { isOpenAIModel } from "./openai_models.ts";

/** A service: what it does differently from others that speak the same wire format. */
export interface Service {
  /** The name that users select it by. */
  name: string;
  /** The base URL, including the version; empty where each customer has another. */
  baseUrl: string;
  /**
   * The hosts of the service, with a port where it is not the default one; `*` stands for any text.
   * A path after the host must be the beginning of the base URL's path.
   */
  hosts?: readonly string[];
  /** The environment variable that customarily holds the key. */
  keyVariable?: string;
  /**
   * The field that limits the answer's tokens. OpenAI's reasoning models reject `max_tokens`; many
   * other services know nothing else. Default `max_tokens`.
   */
  maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Models of the service that only accept `max_tokens`. */
  maxTokensModels?: RegExp;
  /** The field that holds the seed; default `seed`. */
  seedField?: string;
  /** The value of `tool_choice` that requires a tool; default `required`. */
  requiredTool?: string;
  /** How thinking is requested; default that of self-hosted servers. */
  thinking?: ThinkingDialect;
  /** The levels that `reasoning_effort` accepts, if not all; the nearest one is sent. */
  efforts?: readonly ThinkingLevel[];
  /** Whether `stream_options` is accepted; default yes. */
  streamOptions?: false;
  /**
   * Whether thinking can arrive in the answer's text, between `<think>` tags; default yes: it depends on
   * the model (Azure's DeepSeek-R1 has them) and on how a server was started.
   */
  thinkTags?: false;
  /** The header that holds the bare key; default a bearer token in `authorization`. */
  keyHeader?: string;
  /** Whether people run it themselves, often without a parser for a model's thinking. */
  selfHosted?: true;
  /**
   * Whether URLs can name a deployment, under which only some operations are (source:
   * `_deployments_endpoints` of the `openai` package's Azure client).
   */
  hasDeployments?: true;
}

/** A server that is no known service. */
const UNKNOWN: Service = { name: "", baseUrl: "", selfHosted: true };

/** The service whose rules apply to `model` at `endpoint`. */
export function serviceFor(
  { service, openaiModelsOnly }: { service?: Service; openaiModelsOnly?: boolean },
  model: string,
): Service {
  return service === undefined || (openaiModelsOnly && !isOpenAIModel(model)) ? UNKNOWN : service;
}
