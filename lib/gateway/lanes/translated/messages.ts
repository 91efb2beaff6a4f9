/**
 * Rewrites the messages of a request for another API: roles, names, marks, tool results, provider messages.
 *
 * @module
 */
import type {
  AssistantMessage,
  ContentPart,
  Message,
  SystemMessage,
  TextPart,
  ToolMessage,
} from "../../../chat/messages.ts";
import type { ToolCall } from "../../../chat/tool_call.ts";
import { asObject, asObjects, asText, isJson, type Json } from "../../../json/json.ts";
import { type Envelope, envelopeOrigin } from "../../../protocols/envelope.ts";
import { located, pathOf } from "../../../protocols/source_path.ts";
import { isAttribution } from "../../attribution.ts";
import { unsupportedField } from "./fields/field_rules.ts";
import { rewritePart } from "./parts.ts";
import type { Target } from "./target.ts";
import { CUSTOM_INPUT, type ToolNames } from "./tool_names.ts";

/** Rewrites the messages of one request. */
export class MessageRewriter {
  readonly #target: Target;
  readonly #names: ToolNames;
  readonly #dropped: Set<string>;

  constructor(target: Target, names: ToolNames, dropped: Set<string>) {
    this.#target = target;
    this.#names = names;
    this.#dropped = dropped;
  }

  /**
   * Rewrites a message.
   *
   * @param path the client's field
   */
  rewrite(message: Message, path: string): Message | undefined {
    switch (message.role) {
      case "system":
      case "developer":
        return this.#system(message);
      case "assistant":
        return this.#assistant(message, path);
      case "tool":
        return this.#tool(message, path);
      case "user": {
        const content = this.#content(message.content, path);
        return this.#marked({ role: "user", content }, message);
      }
      default: {
        const { role } = message as { role: unknown };
        throw unsupportedField(
          `${path}.role`,
          `${path}.role: expected system, developer, user, assistant or tool, got ${
            JSON.stringify(role)
          }`,
        );
      }
    }
  }

  /** Adds the fields of `given` that the endpoint accepts. */
  #marked<T extends Message>(message: T, given: T): T {
    const { name, cache_control } = given as { name?: string; cache_control?: unknown };
    const fields: Json = {};
    if (name) {
      if (this.#target.participants) fields.name = name;
      else this.#dropped.add("messages[].name");
    }
    if (cache_control) {
      if (this.#target.cacheControl) fields.cache_control = cache_control;
      else this.#dropped.add("cache_control");
    }
    return { ...message, ...fields };
  }

  #system(message: SystemMessage): SystemMessage | undefined {
    let { content } = message;
    if (typeof content !== "string") {
      content = asObjects(content).filter(({ text }) => asText(text)) as unknown as TextPart[];
      content = content.filter(({ text }) => !isAttribution(text)).map((part) =>
        this.#part(part) as TextPart
      );
      content = this.#plain(content) as string | TextPart[];
    }
    if (content.length === 0 || typeof content === "string" && isAttribution(content)) {
      return undefined;
    }
    const role = this.#target.developerRole ? message.role : "system";
    return this.#marked({ role, content }, message);
  }

  /** A part without a mark that the endpoint does not accept. */
  #part<T extends ContentPart>(part: T): T {
    const { cache_control, ...plain } = part as T & { cache_control?: unknown };
    if (!cache_control || this.#target.cacheControl) return part;
    this.#dropped.add("cache_control");
    return plain as unknown as T;
  }

  #content(content: string | readonly ContentPart[], path: string): string | ContentPart[] {
    if (typeof content === "string") return content;
    if (!Array.isArray(content)) {
      throw unsupportedField(
        `${path}.content`,
        `${path}.content: expected text or a list of parts`,
      );
    }
    const parts = content.flatMap((part: ContentPart, i) => {
      const at = pathOf(part) ?? `${path}.content[${i}]`;
      return rewritePart(this.#part(part), this.#target, at).map((sent) => located(sent, at));
    });
    return this.#plain(parts);
  }

  /** Parts as a string, if they are text that the endpoint may not accept as parts, or a single text. */
  #plain(parts: ContentPart[]): string | ContentPart[] {
    const texts = parts.map((part) =>
      part.type === "text" && !part.cache_control ? part.text : undefined
    );
    const isText = texts.every((text) => text !== undefined);
    return isText && (texts.length < 2 || this.#target.plainTexts) ? texts.join("\n\n") : parts;
  }

  #tool(message: ToolMessage, path: string): ToolMessage {
    const { tool_call_id, is_error } = message;
    let content = this.#content(message.content, path);
    const { errorResults } = this.#target;
    if (is_error && !errorResults) content = asError(content);
    const result: ToolMessage = { role: "tool", tool_call_id, content };
    if (is_error !== undefined && errorResults) result.is_error = is_error;
    return this.#marked(result, message);
  }

  #assistant(message: AssistantMessage, path: string): AssistantMessage {
    const { content, refusal, tool_calls: calls, providerMessage } = message;
    const rewritten: AssistantMessage = {
      role: "assistant",
      content: typeof content === "string" || !content
        ? content
        : this.#content(content, path) as TextPart[],
    };
    if (refusal) rewritten.refusal = refusal;
    const own = this.#own(providerMessage);
    if (own !== undefined) rewritten.providerMessage = own;
    if (calls?.length) {
      const signatures = own === undefined ? googleSignatures(providerMessage?.content) : undefined;
      rewritten.tool_calls = calls.map((call, i) => this.#call(call, signatures?.[i]));
    }
    return this.#marked(rewritten, message);
  }

  /** The provider's message, if this endpoint wrote it. */
  #own(message: AssistantMessage["providerMessage"]): AssistantMessage["providerMessage"] {
    if (message?.format !== this.#target.protocol.name) return undefined;
    const { origin, format, content } = message as Envelope;
    if (origin === undefined) return message;
    const { endpoint, model } = this.#target;
    return origin === envelopeOrigin(endpoint.name, model) ? { format, content } : undefined;
  }

  #call(call: ToolCall, signature: unknown): ToolCall {
    const { id, type, function: { name, arguments: text } } = call;
    const asFunction = type === "custom" && !this.#target.customTools;
    const isGemini = this.#target.protocol.name === "gemini";
    const sent: ToolCall = {
      id,
      type: asFunction ? "function" : type,
      function: {
        name: this.#names.sentName(name),
        arguments: asFunction
          ? JSON.stringify({ [CUSTOM_INPUT]: text })
          : isGemini
          ? validArguments(text)
          : text,
      },
    };
    if (signature === undefined || !isGemini) return sent;
    return { ...sent, extra_content: { google: { thought_signature: signature } } } as ToolCall;
  }
}

/** Arguments as JSON. The result of the call follows, so the model must see what it wrote if it is none. */
function validArguments(text: string): string {
  return text === "" || isJson(text) ? text : JSON.stringify({ INVALID_JSON: text });
}

/** Gemini's signatures of the calls in a chat message, as its OpenAI-compatible API writes them. */
function googleSignatures(content: unknown): unknown[] | undefined {
  const calls = asObjects(asObject(content)?.tool_calls);
  if (calls.length === 0) return undefined;
  return calls.map((call) => asObject(asObject(call.extra_content)?.google)?.thought_signature);
}

/** Content that says that a tool failed, for APIs that cannot mark it. */
function asError(content: string | ContentPart[]): string | ContentPart[] {
  const text = typeof content === "string"
    ? content
    : content.map((part) => part.type === "text" ? part.text : "").join("");
  if (/error|fail|exception/i.test(text.slice(0, 200))) return content;
  return typeof content === "string"
    ? `Error: ${content}`
    : [{ type: "text", text: "Error:" }, ...content];
}
