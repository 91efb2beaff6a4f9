/**
 * Assembles the parts of a streamed message that are neither text nor tool calls: service-specific fields,
 * and content that consists of parts.
 *
 * Sources: OpenAI API reference (`delta.audio`); DeepSeek, OpenRouter (`reasoning_details`, `images`) and
 * Mistral (content parts), each in "Streaming".
 *
 * @module
 */
import { TextBuilder } from "../../chat/text_builder.ts";
import { asObject, asObjects, type Json } from "../../json/json.ts";
import { decodeContent, messageExtras } from "./answer_message.ts";

/** String fields of message objects that arrive in pieces; all others arrive whole. */
const PIECES: ReadonlySet<string> = new Set(["data", "transcript"]);

/** The message of one stream. */
export class MessageAssembler {
  #extras: Json | undefined;
  readonly #text = new TextBuilder();
  /** The content parts; `undefined` until the server sends any. */
  #parts: Json[] | undefined;

  /** Adds a delta. */
  push(delta: Json): void {
    const { content } = delta;
    if (typeof content === "string") this.pushText(content);
    else if (Array.isArray(content)) this.#pushParts(asObjects(content));
    const extras = messageExtras(delta);
    if (extras === undefined) return;
    const known = this.#extras ??= {};
    for (const name in extras) known[name] = merge(known[name], extras[name]);
  }

  /** Adds a delta that is only text. */
  pushText(text: string): void {
    if (this.#parts === undefined) this.#text.add(text);
    else if (text !== "") this.#pushParts([{ type: "text", text }]);
  }

  /** The service-specific fields. */
  get extras(): Json | undefined {
    return this.#extras;
  }

  /** The content in the form of a plain answer. */
  get content(): unknown {
    return this.#parts ?? this.#text.text;
  }

  #startParts(): Json[] {
    const { text } = this.#text;
    return text === "" ? [] : [{ type: "text", text }];
  }

  #pushParts(parts: Json[]): void {
    this.#parts ??= this.#startParts();
    for (const part of parts) {
      const last = this.#parts.at(-1);
      if (last === undefined || last.type !== part.type) {
        this.#parts.push({ ...part });
      } else if (part.type === "text") {
        last.text = `${last.text}${part.text}`;
      } else if (part.type === "thinking") {
        const text = decodeContent(last.thinking) + decodeContent(part.thinking);
        Object.assign(last, part, { thinking: [{ type: "text", text }] });
      } else {
        this.#parts.push({ ...part });
      }
    }
  }
}

function merge(known: unknown, piece: unknown): unknown {
  if (typeof known === "string" && typeof piece === "string") return known + piece;
  if (Array.isArray(known) && Array.isArray(piece)) return [...known, ...piece];
  const object = asObject(known);
  const fields = asObject(piece);
  if (object === undefined || fields === undefined) return piece;
  const merged = { ...object };
  for (const name in fields) {
    const isPiece = PIECES.has(name) && typeof merged[name] === "string";
    merged[name] = isPiece ? `${merged[name]}${fields[name]}` : fields[name];
  }
  return merged;
}
