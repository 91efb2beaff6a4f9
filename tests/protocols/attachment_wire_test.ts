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
  // A stream throws immediately if its messages are invalid.
  const request = async () =>
    stream
      ? await client.chatCompletionsStream(messages).finalResult()
      : await client.chatCompletions(messages);
  const error = await request().catch((error) => error);
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

const DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** A data URL of this type; its data does not matter. */
function dataUrl(mediaType: string): string {
  return `data:${mediaType};base64,AAAA`;
}

/** A file of this type, as `-f` attaches it. */
function file(mediaType: string, filename: string): ContentPart {
  return { type: "file", file: { file_data: dataUrl(mediaType), filename } };
}

Deno.test("images in the common formats are sent to every format, except GIF to Gemini", async () => {
  for (const type of ["image/png", "image/jpeg", "image/webp", "image/gif"]) {
    const url = dataUrl(type);
    await expectSent({ type: "image_url", image_url: { url } }, {
      chat: { type: "image_url", image_url: { url } },
      responses: { type: "input_image", image_url: url, detail: "auto" },
      claude: { type: "image", source: { type: "base64", media_type: type, data: "AAAA" } },
      gemini: type === "image/gif"
        ? /^Gemini does not accept files of type image\/gif$/
        : { inlineData: { mimeType: type, data: "AAAA" } },
    });
  }
});

Deno.test("office documents are sent to the Responses API, and rejected by name elsewhere", async () => {
  await expectSent(file(DOCX_TYPE, "a.docx"), {
    chat: /^OpenAI's Chat Completions API does not accept files of type application\/vnd\.openxml/,
    responses: { type: "input_file", filename: "a.docx", file_data: dataUrl(DOCX_TYPE) },
    claude: /^Claude does not accept files of type application\/vnd\.openxml/,
    gemini: /^Gemini does not accept files of type application\/vnd\.openxml/,
  });
});

Deno.test("video is sent to Gemini, and rejected by name elsewhere", async () => {
  await expectSent(file("video/mp4", "a.mp4"), {
    chat: /^OpenAI's Chat Completions API does not accept files of type video\/mp4/,
    responses: /^OpenAI's Responses API does not accept files of type video\/mp4/,
    claude: /^Claude does not accept files of type video\/mp4/,
    gemini: { inlineData: { mimeType: "video/mp4", data: "AAAA" } },
  });
});

Deno.test("OpenAI accepts audio as WAV and MP3 only", async () => {
  for (const format of ["mp3", "m4a", "flac", "ogg"]) {
    await expectSent({ type: "input_audio", input_audio: { data: "AAAA", format } }, {
      chat: format === "mp3"
        ? { type: "input_audio", input_audio: { data: "AAAA", format } }
        : new RegExp(`^OpenAI does not accept audio as ${format}$`),
      responses: /Responses API does not accept message parts of type "input_audio"/,
      claude: /Claude does not accept message parts of type "input_audio"/,
      gemini: { inlineData: { mimeType: `audio/${format}`, data: "AAAA" } },
    });
  }
});

Deno.test("compatible servers decide themselves which files they accept", async () => {
  const part: ContentPart = { type: "input_audio", input_audio: { data: "AAAA", format: "ogg" } };
  for (const given of [part, file(DOCX_TYPE, "a.docx"), file("video/mp4", "a.mp4")]) {
    const bodies: string[] = [];
    await using client = new LLMClient({
      model: "m",
      baseUrl: "https://host.example/v1",
      retryTimes: 0,
      fetch: (_, init) => {
        bodies.push(String(init.body));
        return Promise.resolve(new Response("{}", { status: 400 }));
      },
    });
    await client.chatCompletions([{ role: "user", content: [given] }]).catch(() => {});
    assert.deepEqual(JSON.parse(bodies[0]).messages[0].content, [given]);
  }
});

Deno.test("documents are sent to OpenAI's Responses API unless another one is chosen", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("a.docx"), "PK\x03\x04");
  writeFileSync(folder.file("a.pdf"), PDF);
  const cases: [ContentPart, string][] = [
    [{ type: "file", file: { file_data: folder.file("a.docx") } }, "/v1/responses"],
    [file(DOCX_TYPE, "a.docx"), "/v1/responses"],
    [file("text/csv", "a.csv"), "/v1/responses"],
    [{ type: "file", file: { file_data: folder.file("a.pdf") } }, "/v1/chat/completions"],
    [file("application/pdf", "a.docx"), "/v1/chat/completions"],
    [{ type: "file", file: { file_id: "file-1" } }, "/v1/chat/completions"],
  ];
  for (const [part, path] of cases) {
    const urls: string[] = [];
    await using client = new LLMClient({
      model: "gpt-5.4-mini",
      provider: "openai",
      apiKey: "k",
      retryTimes: 0,
      fetch: (url) => {
        urls.push(new URL(url).pathname);
        return Promise.resolve(new Response("{}", { status: 400 }));
      },
    });
    await client.chatCompletions([{ role: "user", content: [part] }]).catch(() => {});
    assert.deepEqual(urls, [path], JSON.stringify(part));
  }
});
