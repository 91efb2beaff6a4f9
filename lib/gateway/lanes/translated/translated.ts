/**
 * The translated lane: for clients and endpoints that speak different formats.
 *
 * @module
 */
import type { Lane } from "../../lane.ts";
import { encodeTranslated } from "./encode_translated.ts";
import { translateAnswer } from "./translate_answer.ts";
import { TranslatedStream } from "./translated_stream.ts";

/** Converts requests and answers between formats. */
export const translatedLane: Lane = {
  name: "translated",
  encode: encodeTranslated,
  answer: translateAnswer,
  stream: (call, request, headers) => new TranslatedStream(call, request, headers),
};
