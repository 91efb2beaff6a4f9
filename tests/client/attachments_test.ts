import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { loadAttachments, needsAttachments } from "../../lib/client/attachments.ts";
import type { AttachmentSource } from "../../lib/transport/load_file.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import type { FetchedUrls } from "../../lib/protocols/protocol.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import { type ContentPart, LLMClient, LLMClientPool, type Message } from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const PDF = Buffer.from("%PDF-1.7\n%âãÏÓ\n");
const WAV = Buffer.concat([
  Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1"),
  Buffer.alloc(28),
]);
const MP3 = Buffer.from("ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64", "latin1");
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${Buffer.from(bytes).toString("base64")}`;
}

const NONE: FetchedUrls = { image: false, file: false, audio: false };

/** A source whose downloads are answered by `pages`, and which counts them. */
function source(pages: Record<string, Uint8Array> = {}) {
  const requests: [url: string, init: RequestInit][] = [];
  const given: AttachmentSource = {
    timeout: 60,
    attachments: {
      allowPrivateUrls: true,
      fetch: (url, init) => {
        requests.push([url, init]);
        const body = pages[url];
        return Promise.resolve(
          new Response(body?.slice(), { status: body === undefined ? 404 : 200 }),
        );
      },
    },
  };
  return { given, requests };
}

async function read(
  part: ContentPart,
  given: AttachmentSource = source().given,
  fetched = NONE,
): Promise<ContentPart> {
  const [{ content }] = await loadAttachments([{ role: "user", content: [part] }], fetched, given);
  return (content as ContentPart[])[0];
}

function file(file_data: string, filename?: string): ContentPart {
  return { type: "file", file: filename === undefined ? { file_data } : { file_data, filename } };
}

function audio(data: string, format?: string): ContentPart {
  return { type: "input_audio", input_audio: format === undefined ? { data } : { data, format } };
}

Deno.test("files are read from paths, file URLs, URLs, data URLs and base64", async () => {
  using folder = temporaryFolder();
  const path = folder.file("Report 1.pdf");
  writeFileSync(path, PDF);
  const url = "https://host.example/papers/Paper%201.pdf?key=secret";
  const { given } = source({ [url]: PDF });
  const data = dataUrl("application/pdf", PDF);
  const part = (filename?: string) => file(data, filename);
  assert.deepEqual(await read(file(path), given), part("Report 1.pdf"));
  assert.deepEqual(await read(file(pathToFileURL(path).href), given), part("Report 1.pdf"));
  assert.deepEqual(await read(file(url), given), part("Paper 1.pdf"));
  assert.deepEqual(await read(file(url, "mine.pdf"), given), part("mine.pdf"));
  assert.deepEqual(await read(file(data), given), part());
  assert.deepEqual(await read(file(PDF.toString("base64")), given), part());
  assert.deepEqual(await read(file(dataUrl("application/octet-stream", PDF)), given), part());
  const byId: ContentPart = { type: "file", file: { file_id: "file-1" } };
  assert.deepEqual(await read(byId, given), byId);
});

Deno.test("the type of a file is detected from its bytes, and the type of text from its name", async () => {
  using folder = temporaryFolder();
  const cases: [string, string | Uint8Array, string][] = [
    ["a.bin", PDF, "application/pdf"],
    ["b.pdf", Buffer.concat([Buffer.from("\ufeff\n"), PDF]), "application/pdf"],
    ["a.md", "# Hi", "text/markdown"],
    ["a.csv", "a,b", "text/csv"],
    ["LICENSE", "MIT", "text/plain"],
    ["a.dat", PNG, "image/png"],
    ["a.mp4", Buffer.from("\0\0\0\x18ftypisom", "latin1"), "video/mp4"],
    [
      "a.docx",
      Buffer.from("PK\x03\x04\x14\0", "latin1"),
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
  ];
  for (const [name, content, type] of cases) {
    writeFileSync(folder.file(name), content);
    const part = await read(file(folder.file(name)));
    assert.deepEqual(part, file(dataUrl(type, Buffer.from(content)), name));
  }
  for (const [name, content] of [["a.zip", "PK\x03\x04"], ["a.txt", "caf\xe9"], ["b", "\0"]]) {
    writeFileSync(folder.file(name), content, "latin1");
    await assert.rejects(read(file(folder.file(name))), {
      code: "invalid_input",
      message: `the file ${folder.file(name)} is of an unknown type`,
    });
  }
});

Deno.test("audio from any source becomes base64 with a format", async () => {
  using folder = temporaryFolder();
  const wav = WAV.toString("base64");
  const path = folder.file("speech.wav");
  writeFileSync(path, WAV);
  const url = "http://host.example/speech";
  const { given } = source({ [url]: WAV });
  const lines = wav.replace(/(.{20})/g, "$1\r\n");
  for (const data of [path, url, wav, dataUrl("audio/x-wav", WAV), dataUrl("", WAV), lines]) {
    assert.deepEqual(await read(audio(data), given), audio(wav, "wav"), data);
  }
  const formats: [string, string][] = [
    [MP3.toString("latin1"), "mp3"],
    ["\xff\xfb\x90\x64\0\0", "mp3"],
    ["\xff\xf1\x50\x80\0\0", "aac"],
    ["fLaC\0\0", "flac"],
    ["OggS\0\0", "ogg"],
    ["FORM\0\0\0\0AIFF", "aiff"],
    ["\0\0\0\x18ftypM4A ", "m4a"],
    ["\x1a\x45\xdf\xa3", "webm"],
  ];
  for (const [content, format] of formats) {
    const bytes = Buffer.from(content, "latin1");
    writeFileSync(folder.file("sound"), bytes);
    const part = audio(bytes.toString("base64"), format);
    assert.deepEqual(await read(audio(`${folder.path}/./sound`)), part);
  }
  // The caller's format takes precedence, even if it is unknown.
  assert.deepEqual(await read(audio(wav, "pcm16")), audio(wav, "pcm16"));
  assert.deepEqual(await read(audio("AAAA", "wav")), audio("AAAA", "wav"));
  writeFileSync(folder.file("raw.pcm"), "\0\x01\x02");
  assert.deepEqual(await read(audio(folder.file("raw.pcm"), "pcm16")), audio("AAEC", "pcm16"));
  await assert.rejects(read(audio(folder.file("raw.pcm"))), {
    code: "invalid_input",
    message: /the audio .*raw\.pcm is of an unknown format/,
  });
});

Deno.test("documents in Anthropic's format are loaded as data or text", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("a.pdf"), PDF);
  const document = (url: string): ContentPart => ({
    type: "document",
    source: { type: "url", url },
    citations: { enabled: true },
  });
  assert.deepEqual(await read(document(folder.file("a.pdf"))), {
    type: "document",
    source: { type: "base64", media_type: "application/pdf", data: PDF.toString("base64") },
    citations: { enabled: true },
    title: "a.pdf",
  });
  assert.deepEqual(await read(document(folder.write("notes.md", "Grüße"))), {
    type: "document",
    source: { type: "text", media_type: "text/plain", data: "Grüße" },
    citations: { enabled: true },
    title: "notes.md",
  });
});

Deno.test("each protocol gets the URLs that it fetches itself, and data instead of the others", async () => {
  const urls = ["https://a.example/x.png", "https://a.example/x.pdf", "https://a.example/x.wav"];
  const [image, pdf, wav] = urls;
  const parts: ContentPart[] = [
    { type: "image_url", image_url: { url: image } },
    file(pdf),
    { type: "document", source: { type: "url", url: pdf } },
    audio(wav),
  ];
  const downloaded: [FetchedUrls, string[]][] = [
    [openaiChat.fetchedUrls, [pdf, wav]],
    [openaiResponses.fetchedUrls, [wav]],
    [anthropic.fetchedUrls, [wav]],
    [gemini.fetchedUrls, urls],
  ];
  for (const [fetched, expected] of downloaded) {
    const { given, requests } = source({ [image]: PNG, [pdf]: PDF, [wav]: WAV });
    await loadAttachments([{ role: "user", content: parts }], fetched, given);
    assert.deepEqual(requests.map(([url]) => url).toSorted(), expected.toSorted());
    for (const [, { headers, method }] of requests) {
      assert.deepEqual([headers, method], [{}, "GET"]);
    }
  }
});

Deno.test("files in Google's own stores are passed by name and never downloaded", async () => {
  const stored = [
    "gs://bucket/a.pdf",
    "https://generativelanguage.googleapis.com/v1beta/files/abc",
    "https://www.youtube.com/watch?v=abc",
  ];
  for (const reference of stored) {
    for (const part of [file(reference), audio(reference)]) {
      assert.deepEqual(await read(part, source().given, gemini.fetchedUrls), part);
    }
  }
  await assert.rejects(read(file("gs://bucket/a.pdf")), {
    message: /cannot read the file gs:.*: the URL scheme gs: is not supported/,
  });
});

Deno.test("messages without attachments to load are passed on unchanged", async () => {
  const messages: Message[] = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "Hi" },
        file(dataUrl("application/pdf", PDF)),
        audio(WAV.toString("base64"), "wav"),
        { type: "image_url", image_url: { url: dataUrl("image/png", PNG) } },
      ],
    },
  ];
  assert.equal(needsAttachments(messages, NONE), false);
  assert.deepEqual(await loadAttachments(messages, NONE, { timeout: 1 }), messages);
});

Deno.test("images in data URLs get a media type that providers know", async () => {
  const image = (url: string): ContentPart => ({ type: "image_url", image_url: { url } });
  const expected = image(dataUrl("image/png", PNG));
  for (const type of ["", "application/octet-stream", "image/jpg"]) {
    assert.deepEqual(await read(image(dataUrl(type, PNG))), expected);
  }
  assert.deepEqual(await read(image(PNG.toString("base64"))), expected);
  assert.deepEqual(
    await read(image("data:image/svg+xml,%3Csvg%2F%3E")),
    image(dataUrl("image/svg+xml", Buffer.from("<svg/>"))),
  );
  await assert.rejects(read(image("data:image/png")), /the data URL has no data/);
  await assert.rejects(read(image("data:,%FF")), /the data URL is not valid/);
});

Deno.test("attachments in tool results are loaded as well", async () => {
  const { given } = source({ "https://a.example/x.pdf": PDF });
  const message: Message = {
    role: "tool",
    tool_call_id: "1",
    content: [file("https://a.example/x.pdf")],
  };
  const [read] = await loadAttachments([message], NONE, given);
  assert.deepEqual(read.content, [file(dataUrl("application/pdf", PDF), "x.pdf")]);
});

Deno.test("attachments that are too large are rejected, by their size or while they are read", async () => {
  using folder = temporaryFolder();
  const MB = 1024 * 1024;
  writeFileSync(folder.file("a.pdf"), Buffer.concat([PDF, Buffer.alloc(32 * MB)]));
  writeFileSync(folder.file("a.wav"), Buffer.concat([WAV, Buffer.alloc(20 * MB)]));
  const tooLarge = /the (file|audio) .*(a\.pdf|a\.wav) has (32|20)\.0 MB, more than the (32|20)/;
  await assert.rejects(read(file(folder.file("a.pdf"))), tooLarge);
  await assert.rejects(read(audio(folder.file("a.wav"), "wav")), tooLarge);
  const base64 = "A".repeat(28 * MB);
  const inMessage = /the (audio|image) in the message has 21\.0 MB/;
  await assert.rejects(read(audio(base64, "wav")), inMessage);
  const image = `data:image/png;base64,${base64}`;
  await assert.rejects(read({ type: "image_url", image_url: { url: image } }), inMessage);
  const { given } = source({ "https://a.example/a": Buffer.alloc(33 * MB) });
  await assert.rejects(read(file("https://a.example/a"), given), /larger than the 32\.0 MB/);
});

Deno.test("only regular files are read, not directories, pipes or devices, even through a link", async () => {
  if (process.platform === "win32") return;
  using folder = temporaryFolder();
  mkdirSync(folder.file("folder"));
  execFileSync("mkfifo", [folder.file("pipe")]);
  symlinkSync("/dev/zero", folder.file("zero.png"));
  const cases: [string, RegExp][] = [
    ["folder", /cannot read the file .*folder: it is a folder, not a file/],
    ["pipe", /it is a pipe, not a file/],
    ["zero.png", /it is a device, not a file/],
    ["none", /cannot read the file .*none: it does not exist/],
  ];
  for (const [name, message] of cases) {
    await assert.rejects(read(file(folder.file(name))), { code: "invalid_input", message });
  }
  await assert.rejects(read({ type: "image_url", image_url: { url: folder.file("zero.png") } }));
});

Deno.test("a file that reports no size is read to its end", async () => {
  if (process.platform !== "linux") return;
  const part = await read(file("/proc/self/status"));
  assert.ok(part.type === "file" && part.file.file_data!.startsWith("data:text/plain;base64,"));
  const text = Buffer.from(part.file.file_data!.split(",")[1], "base64").toString();
  assert.match(text, new RegExp(`Pid:\\s+${process.pid}\n`));
});

Deno.test("local files can be disallowed for untrusted messages", async () => {
  using folder = temporaryFolder();
  const given = { timeout: 60, attachments: { allowLocalFiles: false } };
  const path = folder.write("secret.txt", "a");
  for (const reference of [path, pathToFileURL(path).href, "none.pdf"]) {
    await assert.rejects(read(file(reference), given), {
      code: "invalid_input",
      message: /cannot read the file .*: local files are not allowed here/,
    });
  }
  const data = dataUrl("application/pdf", PDF);
  assert.deepEqual(await read(file(PDF.toString("base64")), given), file(data));
});

Deno.test("an aborted signal ends the wait for an attachment", async () => {
  using folder = temporaryFolder();
  const controller = new AbortController();
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  const waiting: AttachmentSource = {
    timeout: 60,
    signal: controller.signal,
    attachments: {
      allowPrivateUrls: true,
      fetch: (_, { signal }) => {
        resolve();
        return new Promise((_, reject) =>
          signal!.addEventListener("abort", () => reject(signal!.reason))
        );
      },
    },
  };
  const download = read(file("https://a.example/a.pdf"), waiting);
  await requested;
  controller.abort();
  await assert.rejects(download, { code: "aborted" });
  await assert.rejects(read(file(folder.write("a.txt", "a")), { ...waiting, loaded: undefined }), {
    code: "aborted",
  });
});

Deno.test("a call loads each attachment once for all endpoints", async () => {
  await using mock = await watchedMock();
  const { given, requests } = source({ "https://a.example/x.png": PNG });
  const endpoint = (model: string) => ({
    provider: "gemini" as const,
    baseUrl: mock.baseUrl.replace("/v1", "/v1beta"),
    model,
  });
  await using pool = new LLMClientPool({
    endpoints: ["a", "b", "c", "d"].map(endpoint),
    cache: { store: "memory" },
    attachments: given.attachments,
  });
  const image: ContentPart = { type: "image_url", image_url: { url: "https://a.example/x.png" } };
  await pool.chatCompletions([{ role: "user", content: [image, image] }]);
  assert.equal(requests.length, 1);
  assert.deepEqual(
    mock.requests[0].contents[0].parts,
    Array(2).fill({ inlineData: { mimeType: "image/png", data: PNG.toString("base64") } }),
  );
});

Deno.test("schema retries do not load attachments again", async () => {
  await using mock = await watchedMock({ responses: [{ text: "no JSON" }] });
  const { given, requests } = source({ "https://a.example/x.wav": WAV });
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    attachments: given.attachments,
  });
  const content: ContentPart[] = [audio("https://a.example/x.wav")];
  await assert.rejects(
    client.chatCompletions([{ role: "user", content }], {
      schemaRetries: 2,
      responseFormat: {
        type: "json_schema",
        json_schema: { name: "n", schema: { type: "object" } },
      },
    }),
    { code: "schema_mismatch" },
  );
  assert.deepEqual([mock.requests.length, requests.length], [3, 1]);
});

Deno.test("downloads use neither the provider's headers nor its fetch", async () => {
  const provider: string[] = [];
  const { given, requests } = source({ "https://a.example/x.png": PNG });
  await using client = new LLMClient({
    provider: "gemini",
    apiKey: "secret-key",
    headers: { "x-team": "blue" },
    model: "gemini-3-flash",
    retryTimes: 0,
    fetch: (url) => {
      provider.push(url);
      return Promise.resolve(new Response("{}", { status: 400 }));
    },
    attachments: given.attachments,
  });
  const image: ContentPart = { type: "image_url", image_url: { url: "https://a.example/x.png" } };
  await assert.rejects(client.chatCompletions([{ role: "user", content: [image] }]));
  assert.equal(provider.length, 1);
  assert.deepEqual(requests.map(([url, { headers }]) => [url, headers]), [
    ["https://a.example/x.png", {}],
  ]);
});
