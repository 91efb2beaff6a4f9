/**
 * The stream of the Gemini API: each event is a whole response with the next parts; there is no end
 * marker.
 *
 * Source: Gemini API reference, "models.streamGenerateContent".
 *
 * @module
 */
import type { NativeMessage } from "../chat/messages.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { asObject, asObjects, asText, type Json } from "../json.ts";
import {
  checkBlocked,
  decodeCall,
  decodeError,
  decodeUsage,
  finishReason,
} from "./gemini_decode.ts";
import { parseEvent } from "./parse_event.ts";
import type { StreamDecoder } from "./provider.ts";
import { embeddedError } from "./response_error.ts";

/** Decodes one stream. */
export class GeminiStreamDecoder implements StreamDecoder {
  complete = false;
  readonly ended = false;
  model: string | undefined;
  readonly #parts: Json[] = [];
  #calls = 0;

  push(data: string): StreamEvent[] {
    const answer = parseEvent(data);
    const error = decodeError(answer);
    if (error !== undefined) throw embeddedError(error);
    checkBlocked(answer);
    this.model ??= asText(answer.modelVersion);

    const [candidate] = asObjects(answer.candidates);
    const events = asObjects(asObject(candidate?.content)?.parts)
      .flatMap((part) => this.#pushPart(part));
    const reason = asText(candidate?.finishReason);
    if (reason !== undefined) {
      this.complete = true;
      events.push({ type: "finish", finishReason: finishReason(reason, this.#calls > 0) });
    }
    const usage = decodeUsage(answer.usageMetadata);
    if (usage !== null) events.push({ type: "usage", usage });
    return events;
  }

  native(): NativeMessage {
    return { format: "gemini", content: this.#parts };
  }

  #pushPart(part: Json): StreamEvent[] {
    this.#keep(part);
    const call = decodeCall(part, this.#calls);
    if (call !== undefined) {
      const { id, function: { name, arguments: json } } = call;
      return [{ type: "tool_call", index: this.#calls++, id, name, arguments: json }];
    }
    const text = asText(part.text);
    if (text === undefined) return [];
    return [{ type: part.thought === true ? "thinking" : "text", text }];
  }

  /** Pieces of one text become one part again, as a plain answer has it. */
  #keep(part: Json): void {
    const last = this.#parts.at(-1);
    const continues = typeof part.text === "string" && typeof last?.text === "string" &&
      part.thought === last.thought && last.thoughtSignature === undefined;
    if (continues) Object.assign(last, part, { text: `${last.text}${part.text}` });
    else this.#parts.push({ ...part });
  }
}
