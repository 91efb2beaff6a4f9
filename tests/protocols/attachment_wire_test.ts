/** Encoding images, files and audio in all four formats, plain and streamed. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { type ClientOptions, type ContentPart, LLMClient, type Message } from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PDF = Buffer.from("%PDF-1.7\n");
const WAV = Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1");
const pdf = PDF.toString("base64");
const wav = WAV.toString("base64");
const PDF_URL = `data:application/pdf;base64,${pdf}`;
const WEB_PDF = "https://files.example/a.pdf";

const FORMATS = {
  chat: { api: "chat", baseUrl: "https://api.openai.com/v1" },
  responses: { api: "responses", baseUrl: "https://api.openai.com/v1" },
  claude: { provider: "claude" },
  gemini: { provider: "gemini" },
} as const satisfies Record<string, Partial<ClientOptions>>;
type Format = keyof typeof FORMATS;

/** The request body for a user message of `parts`, or the error. */
async function sent(format: Format, parts: ContentPart[], stream: boolean) {
  const bodies: unknown[] = [];
  await using client = new LLMClient({
    model: "m",
    apiKey: "k",
    retryTimes: 0,
    ...FORMATS[format],
    fetch: (_, init) => {
      bodies.push(JSON.parse(String(init.body)));
      return Promise.resolve(new Response("{}", { status: 400 }));
    },
    attachments: { allowPrivateUrls: true, fetch: () => Promise.resolve(new Response(PDF)) },
  });
  const messages: Message[] = [{ role: "user", content: parts }];
  const result = stream
    ? client.chatCompletionsStream(messages).finalResult()
    : client.chatCompletions(messages);
  const error = await result.catch((error) => error);
  // deno-lint-ignore no-explicit-any
  const body = bodies[0] as any;
  const turn = (body?.messages ?? body?.input ?? body?.contents)?.[0];
  return { error, parts: turn?.content ?? turn?.parts };
}

async function expectSent(part: ContentPart, expected: Record<Format, unknown>) {
  for (const format of Object.keys(FORMATS) as Format[]) {
    for (const stream of [false, true]) {
      const { error, parts } = await sent(format, [part], stream);
      const wanted = expected[format];
      if (wanted instanceof RegExp) {
        assert.equal(error.code, "invalid_input", `${format}: ${error}`);
        assert.match(error.message, wanted);
        assert.equal(parts, undefined);
      } else assert.deepEqual(parts, [wanted], `${format}: ${error}`);
    }
  }
}

Deno.test("a local PDF is sent to every format", async () => {
  using folder = temporaryFolder();
  const path = folder.file("report.pdf");
  writeFileSync(path, PDF);
  await expectSent({ type: "file", file: { file_data: path } }, {
    chat: { type: "file", file: { file_data: PDF_URL, filename: "report.pdf" } },
    responses: { type: "input_file", file_data: PDF_URL, filename: "report.pdf" },
    claude: {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: pdf },
      title: "report.pdf",
    },
    gemini: { inlineData: { mimeType: "application/pdf", data: pdf } },
  });
});

Deno.test("a PDF at a URL is sent as a URL if the provider fetches URLs, else as data", async () => {
  await expectSent({ type: "file", file: { file_data: WEB_PDF } }, {
    chat: { type: "file", file: { file_data: PDF_URL, filename: "a.pdf" } },
    responses: { type: "input_file", file_url: WEB_PDF },
    claude: { type: "document", source: { type: "url", url: WEB_PDF } },
    gemini: { inlineData: { mimeType: "application/pdf", data: pdf } },
  });
});

Deno.test("a document in Anthropic's form is sent to every format", async () => {
  await expectSent({ type: "document", source: { type: "url", url: WEB_PDF } }, {
    chat: { type: "file", file: { file_data: PDF_URL, filename: "a.pdf" } },
    responses: { type: "input_file", file_url: WEB_PDF },
    claude: { type: "document", source: { type: "url", url: WEB_PDF } },
    gemini: { inlineData: { mimeType: "application/pdf", data: pdf } },
  });
});

Deno.test("audio is sent to formats that accept it, and rejected by name elsewhere", async () => {
  using folder = temporaryFolder();
  const path = folder.file("speech.wav");
  writeFileSync(path, WAV);
  for (const data of [path, wav, `data:audio/wav;base64,${wav}`]) {
    await expectSent({ type: "input_audio", input_audio: { data } }, {
      chat: { type: "input_audio", input_audio: { data: wav, format: "wav" } },
      responses: /Responses API does not accept message parts of type "input_audio"/,
      claude: /Claude does not accept message parts of type "input_audio"/,
      gemini: { inlineData: { mimeType: "audio/wav", data: wav } },
    });
  }
});
