/**
 * The baseline for many streams at once.
 *
 * Arguments: base URL, number of streams.
 */
import process from "node:process";
import { openStreams } from "./open_streams.ts";
import { streamTexts } from "./stream_texts.ts";

const [baseUrl, streams] = process.argv.slice(2);
await openStreams(Number(streams), (i) => streamTexts(baseUrl, i));
