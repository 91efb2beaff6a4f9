/**
 * Describes what the endpoint of a translated call accepts, as far as its format and its model decide it.
 *
 * @module
 */
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { claudeModel } from "../../../protocols/anthropic/model_features.ts";
import { geminiModel } from "../../../protocols/gemini/model_features.ts";
import { isOpenAIModel } from "../../../protocols/openai_model_features.ts";
import type { FetchedUrls, Protocol } from "../../../protocols/protocol.ts";
import { type Service, serviceFor } from "../../../protocols/service.ts";

/** Whether an endpoint is Anthropic itself, rather than a compatible server. */
export function isAnthropic({ baseUrl }: Pick<EndpointClient, "baseUrl">): boolean {
  return baseUrl.startsWith("https://api.anthropic.com/");
}

/** What an endpoint accepts. */
export interface Target {
  readonly endpoint: EndpointClient;
  readonly protocol: Protocol;
  /** The model under the endpoint's name for it. */
  readonly model: string;
  readonly service: Service;
  /** The name of the API, for errors. */
  readonly who: string;
  /** Whether OpenAI's own rules apply. */
  readonly isOpenAI: boolean;
  /** Whether there are custom tools, which take free text. */
  readonly customTools: boolean;
  /** Whether a list of allowed tools can be sent. */
  readonly allowedTools: boolean;
  /** Whether prompt cache breakpoints can be marked. */
  readonly cacheControl: boolean;
  /** Whether a tool result can be marked as an error. */
  readonly errorResults: boolean;
  /** Whether tool results can contain images and documents. */
  readonly resultMedia: boolean;
  /** Whether messages can have the name of a participant. */
  readonly participants: boolean;
  /** Whether there is the role `developer`. */
  readonly developerRole: boolean;
  /**
   * Where system messages can be: anywhere, or also between a user message and its answer, or only at the
   * start.
   */
  readonly systemMessages: "anywhere" | "before answers" | "start";
  /** Whether content of texts only should be one string, since not every server accepts a list. */
  readonly plainTexts: boolean;
  /** Whether several system messages at the start must be one. */
  readonly oneSystemMessage: boolean;
  readonly audio: boolean;
  readonly fetchedUrls: FetchedUrls;
  readonly toolNames: { readonly pattern: RegExp; readonly maxLength: number };
  readonly callIds: { readonly pattern: RegExp; readonly maxLength: number };
}

const OPENAI_NAME = /^[a-zA-Z0-9_-]+$/;
const ANY = /^/;

type Features = Omit<
  Target,
  "endpoint" | "protocol" | "model" | "service" | "fetchedUrls" | "isOpenAI"
>;

function chatFeatures(service: Service, isOpenAI: boolean): Features {
  const isMistral = service.name === "mistral";
  return {
    who: isOpenAI ? "OpenAI's Chat Completions API" : "Chat Completions",
    customTools: isOpenAI,
    allowedTools: isOpenAI,
    cacheControl: service.name === "openrouter",
    errorResults: false,
    resultMedia: false,
    participants: true,
    developerRole: isOpenAI,
    // Chat templates of open models often allow one system message, at the start.
    systemMessages: service.selfHosted === true && !isOpenAI ? "start" : "anywhere",
    plainTexts: !isOpenAI,
    oneSystemMessage: !isOpenAI,
    audio: true,
    toolNames: { pattern: OPENAI_NAME, maxLength: 64 },
    // Source: errors of Mistral's API ("must be a-z, A-Z, 0-9, with a length of 9") and of OpenAI's.
    callIds: isMistral
      ? { pattern: /^[a-zA-Z0-9]{9}$/, maxLength: 9 }
      : { pattern: ANY, maxLength: 40 },
  };
}

const RESPONSES: Features = {
  who: "OpenAI's Responses API",
  customTools: true,
  allowedTools: true,
  cacheControl: false,
  errorResults: false,
  resultMedia: true,
  participants: false,
  developerRole: true,
  systemMessages: "anywhere",
  plainTexts: false,
  oneSystemMessage: false,
  audio: false,
  toolNames: { pattern: OPENAI_NAME, maxLength: 64 },
  callIds: { pattern: ANY, maxLength: 64 },
};

function claudeFeatures(model: string): Features {
  const { isKnown, systemTurns } = claudeModel(model);
  return {
    who: "Claude",
    customTools: false,
    allowedTools: false,
    cacheControl: true,
    errorResults: true,
    resultMedia: true,
    participants: false,
    developerRole: true,
    systemMessages: isKnown && systemTurns ? "before answers" : "start",
    plainTexts: false,
    oneSystemMessage: false,
    audio: false,
    toolNames: { pattern: OPENAI_NAME, maxLength: 128 },
    callIds: { pattern: OPENAI_NAME, maxLength: 64 },
  };
}

function geminiFeatures(model: string): Features {
  return {
    who: "Gemini",
    customTools: false,
    allowedTools: true,
    cacheControl: false,
    errorResults: true,
    resultMedia: geminiModel(model).isGemini3,
    participants: false,
    developerRole: true,
    systemMessages: "start",
    plainTexts: false,
    oneSystemMessage: false,
    audio: true,
    toolNames: { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/, maxLength: 64 },
    callIds: { pattern: ANY, maxLength: Infinity },
  };
}

function featuresOf(protocol: Protocol, service: Service, model: string, isOpenAI: boolean) {
  switch (protocol.name) {
    case "claude":
      return claudeFeatures(model);
    case "gemini":
      return geminiFeatures(model);
    case "responses":
      return RESPONSES;
    default:
      return chatFeatures(service, isOpenAI);
  }
}

/** Describes `model` at an endpoint that is called in the format `protocol`. */
export function targetOf(endpoint: EndpointClient, protocol: Protocol, model: string): Target {
  const server = endpoint.connection.endpoint;
  const service = serviceFor(server, model);
  const isOpenAI = service.thinking === "effort" &&
    (server.isOpenAIHost === true || isOpenAIModel(model));
  return {
    endpoint,
    protocol,
    model,
    service,
    isOpenAI,
    fetchedUrls: protocol.fetchedUrls,
    ...featuresOf(protocol, service, model, isOpenAI),
  };
}
