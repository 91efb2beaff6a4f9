import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  type Attachment,
  messageWith,
  readAttachment,
  type ReadAttachmentOptions,
  readAttachments,
} from "../../lib/input/attachment.ts";
import type { ContentPart } from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const PDF = Buffer.from("%PDF-1.7\n%âãÏÓ\n");
const M4A = Buffer.from("\0\0\0\x18ftypisom\0\0", "latin1");

function textOf({ part }: Attachment): string {
  assert.equal(part.type, "text");
  return (part as Extract<ContentPart, { type: "text" }>).text;
}

async function* chunks(...parts: (string | Uint8Array)[]) {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

Deno.test("text is attached with its name, whatever its type, in UTF-8 and UTF-16", async () => {
  using folder = temporaryFolder();
  const cases: [string, Uint8Array][] = [
    ["a.md", Buffer.from("\uFEFFGrüße")],
    ["a.py", Buffer.from("Grüße\n")],
    ["a.csv", Buffer.from("Grüße")],
    ["a.json", Buffer.from("Grüße")],
    ["LICENSE", Buffer.from("Grüße")],
    ["le.txt", Buffer.from("\uFEFFGrüße\n", "utf16le")],
    ["be.txt", Buffer.from("\uFEFFGrüße\n", "utf16le").swap16()],
  ];
  for (const [name, bytes] of cases) {
    writeFileSync(folder.file(name), bytes);
    const [attachment] = await readAttachments(folder.file(name));
    assert.equal(textOf(attachment), `<file name="${name}">\nGrüße\n</file>`);
    assert.deepEqual([attachment.name, attachment.bytes], [name, bytes.length]);
  }
  // Markup that could be displayed is text to a model.
  for (
    const text of ["<svg/>", "<!doctype html><p>x</p>", "BMW is a car", "ID3 tags", "ADIF log"]
  ) {
    assert.match(textOf(await readAttachment(folder.write("a.x", text))), new RegExp(text));
  }
});

Deno.test("images, PDFs, audio and documents are recognized by their content", async () => {
  using folder = temporaryFolder();
  const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
  const cases: [string, Uint8Array, ContentPart][] = [
    ["a.txt", PNG, {
      type: "image_url",
      image_url: { url: `data:image/png;base64,${PNG.toString("base64")}` },
    }],
    ["a.bin", PDF, {
      type: "file",
      file: {
        file_data: `data:application/pdf;base64,${PDF.toString("base64")}`,
        filename: "a.bin",
      },
    }],
    ["a.m4a", M4A, {
      type: "input_audio",
      input_audio: { data: M4A.toString("base64"), format: "m4a" },
    }],
    ["a.mp4", M4A, {
      type: "file",
      file: { file_data: `data:video/mp4;base64,${M4A.toString("base64")}`, filename: "a.mp4" },
    }],
    ["a.docx", Buffer.from("PK\x03\x04"), {
      type: "file",
      file: { file_data: `data:${docx};base64,UEsDBA==`, filename: "a.docx" },
    }],
  ];
  for (const [name, bytes, part] of cases) {
    writeFileSync(folder.file(name), bytes);
    assert.deepEqual((await readAttachment(folder.file(name))).part, part);
  }
});

Deno.test("files that no model accepts are refused by name, with the command that converts them", async () => {
  using folder = temporaryFolder();
  const cases: [name: string, content: string, message: RegExp, hint: RegExp][] = [
    ["a.heic", "\0\0\0\x18ftypheic", /a HEIC photo, which models/, /magick \S*a\.heic \S*a\.jpg$/],
    ["a b.tiff", "II*\0", /a TIFF image/, /magick '.*a b\.tiff' '.*a b\.jpg'$/],
    ["a.avif", "\0\0\0\x18ftypavif", /an AVIF image/, /magick/],
    ["a.bmp", "BM1234\0\0\0\x006\0\0\0\x28\0\0\0", /a BMP image/, /magick/],
    ["a.zip", "PK\x03\x04", /a ZIP archive/, /Unpack it/],
    ["a.doc2", "\xd0\xcf\x11\xe0", /an Office document/, /as PDF/],
    ["a.gz", "\x1f\x8b\x08\0", /compressed with gzip/, /gunzip -k/],
    ["a.parquet", "PAR1\0", /a Parquet file/, /flexllm batch \S*a\.parquet -o out\.jsonl$/],
    ["a.xz", "\xfd7zXZ\0\0", /compressed with xz/, /unxz -k \S*a\.xz$/],
    [
      "latin1.txt",
      "caf\xe9",
      /not text in UTF-8/,
      /iconv -f latin1 -t utf-8 \S+ > \S+\.utf8\.txt$/,
    ],
    ["utf16.txt", "h\0e\0l\0l\0o\0", /not text in UTF-8/, /iconv -f utf-16le -t utf-8/],
    ["a.bin", "\0\x01\xff\x02\x05\x06", /not text \(UTF-8\), an image/, /convert other files/],
  ];
  for (const [name, content, message, hint] of cases) {
    writeFileSync(folder.file(name), content, "latin1");
    await assert.rejects(readAttachments(folder.file(name)), (error: Error & { hint: string }) => {
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(folder.file(name)), error.message);
      assert.match(error.hint, hint);
      return true;
    });
  }
  await assert.rejects(readAttachments(folder.write("empty", "")), /empty is empty/);
  await assert.rejects(readAttachments(folder.write("blank", " \n\t\n")), /only white space/);
  const large = folder.write("large.txt", "x".repeat(5 * 1024 * 1024));
  await assert.rejects(readAttachments(large), /has 5\.0 MB, more than the 4\.0 MB/);
});

Deno.test("a pattern attaches its matches in order; a folder names the pattern", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.file("src"));
  for (const name of ["b.ts", "a.ts", ".c.ts"]) folder.write(`src/${name}`, name);
  const before = process.cwd();
  process.chdir(folder.path);
  try {
    const attachments = await readAttachments("src/*.ts");
    assert.deepEqual(attachments.map(textOf), [
      '<file name="src/a.ts">\na.ts\n</file>',
      '<file name="src/b.ts">\nb.ts\n</file>',
    ]);
    assert.deepEqual(attachments.map(({ name }) => name), ["src/a.ts", "src/b.ts"]);
    await assert.rejects(readAttachments("*.png"), {
      message: "no file matches *.png",
      hint: /hidden files/,
    });
    await assert.rejects(readAttachments("src"), {
      message: "cannot read src: it is a folder, not a file",
      hint: /its 2 files with the pattern 'src\/\*'/,
    });
    await assert.rejects(readAttachment("src/*"), /matches 2 files/);
    // One bad file among the matches is named.
    folder.write("src/z.ts", "");
    await assert.rejects(readAttachments("src/*"), /src\/z\.ts is empty/);
    for (let i = 0; i < 501; i++) folder.write(`${i}.log`, "x");
    await assert.rejects(readAttachments("*.log"), {
      message: /matches 501 files, more than the 500/,
      hint: /flexllm batch '\*\.log' --template/,
    });
  } finally {
    process.chdir(before);
  }
});

Deno.test("- attaches standard input, text or binary, where the caller has one", async () => {
  const stdin = (...parts: (string | Uint8Array)[]) => ({ stdin: chunks(...parts) });
  const [text] = await readAttachments("-", stdin("one ", "two"));
  assert.equal(textOf(text), '<file name="stdin">\none two\n</file>');
  const [image] = await readAttachments("-", stdin(PNG.subarray(0, 3), PNG.subarray(3)));
  assert.equal(image.part.type, "image_url");
  const [pdf] = await readAttachments("-", stdin(PDF));
  assert.equal(pdf.part.type === "file" && pdf.part.file.filename, "stdin.pdf");
  await assert.rejects(readAttachments("-", stdin()), /standard input is empty/);
  await assert.rejects(readAttachments("-", stdin("\0\x01")), /standard input is not text/);
  await assert.rejects(
    readAttachments("-", stdin(Buffer.alloc(33 * 1024 * 1024, "x"))),
    /standard input is larger than the 32\.0 MB/,
  );
  await assert.rejects(readAttachments("-"), /cannot be attached here/);
});

/** Options with which every URL is answered by `body` and this content type. */
function page(body: string | Uint8Array, type?: string, status = 200): ReadAttachmentOptions {
  return {
    allowPrivateUrls: true,
    fetch: () => {
      const headers: HeadersInit = type === undefined ? {} : { "content-type": type };
      const bytes: BodyInit = new Uint8Array(Buffer.from(body));
      return Promise.resolve(new Response(bytes, { status, headers }));
    },
  };
}

Deno.test("the content of a URL decides whether it is text, an image, a PDF or audio", async () => {
  const url = "https://user:pw@host.example/files/Paper%201?key=secret";
  const read = async (body: string | Uint8Array, type?: string) =>
    (await readAttachments(url, page(body, type)))[0];
  const named = (text: string) =>
    `<file name="https://host.example/files/Paper%201">\n${text}\n</file>`;
  const texts: [body: string, type: string | undefined, expected: string][] = [
    ['{"a":1}', "application/json", '{"a":1}'],
    ["# Hi", "text/plain; charset=utf-8", "# Hi"],
    ["<b>not a page</b>", "text/plain", "<b>not a page</b>"],
    ["a,b", undefined, "a,b"],
    ["Sorry", "image/png", "Sorry"],
    ["caf\xe9", "text/plain; charset=ISO-8859-1", "café"],
  ];
  for (const [body, type, expected] of texts) {
    const bytes = type?.includes("8859") ? Buffer.from(body, "latin1") : body;
    assert.equal(textOf(await read(bytes, type)), named(expected), `as ${type}`);
  }
  for (const type of ["image/png", "text/html", "application/octet-stream", undefined]) {
    const attachment = await read(PNG, type);
    assert.deepEqual(
      [attachment.part.type, attachment.name],
      ["image_url", "Paper 1"],
      `as ${type}`,
    );
  }
  const pdf = await read(PDF, "text/html");
  assert.equal(pdf.part.type === "file" && pdf.part.file.filename, "Paper 1");
  const audio = await read(Buffer.from("ID3\x04\0"), "audio/mpeg");
  assert.equal(audio.part.type === "input_audio" && audio.part.input_audio.format, "mp3");
});

Deno.test("web pages are attached as readable text", async () => {
  const html = `<!doctype html><html><head><title>T</title><style>p{}</style>
    <script>track()</script></head><body><nav><a href="/">Home</a></nav>
    <main><h1>Rivers</h1><p>The <a href="/loire">Loire</a> &amp; the <b>Rh&ocirc;ne</b>.</p>
    <ul><li>one</li><li>two</li></ul>
    <table><tr><th>River</th><th>km</th></tr><tr><td>Loire</td><td>1006</td></tr></table>
    <img src="x.png" alt="map"><button>Buy</button></main><footer>Imprint</footer></body></html>`;
  for (const type of ["text/html; charset=utf-8", "application/xhtml+xml", undefined]) {
    const [attachment] = await readAttachments("https://host.example/rivers", page(html, type));
    const text = textOf(attachment);
    for (const part of ["Rivers", "The Loire & the Rhône.", " * one", "River | km\nLoire | 1006"]) {
      assert.ok(text.includes(part), text);
    }
    assert.doesNotMatch(text, /track|p\{\}|Home|<b>|\/loire|map|Buy|Imprint/);
  }
  const latin1 = Buffer.from('<html><meta charset="iso-8859-1"><body>caf\xe9</body>', "latin1");
  const [old] = await readAttachments("https://host.example/", page(latin1, "text/html"));
  assert.equal(textOf(old), '<file name="https://host.example/">\ncafé\n</file>');
  const deep = `<html><body><p>start</p>${"<div>".repeat(50_000)}x`;
  const [cut] = await readAttachments("https://host.example/", page(deep, "text/html"));
  assert.match(textOf(cut), /start/);
  // A page that scripts fill in has no text; its source is better than nothing.
  const empty = '<html><body><script>"x"</script></body></html>';
  const [source] = await readAttachments("https://host.example/", page(empty, "text/html"));
  assert.match(textOf(source), /<script>"x"/);
});

Deno.test("a URL that cannot be attached is refused before anything is sent", async () => {
  const url = "https://host.example/a.zip?key=secret";
  const cases: [ReadAttachmentOptions, RegExp][] = [
    [
      page("no", "text/plain", 404),
      /cannot download https:\/\/host\.example\/a\.zip: the server answered 404/,
    ],
    [page("PK\x03\x04", "application/zip"), /https:\/\/host\.example\/a\.zip is a ZIP archive/],
    [page("", "text/plain"), /https:\/\/host\.example\/a\.zip is empty/],
    [page(Buffer.alloc(33 * 1024 * 1024)), /larger than the 32\.0 MB/],
    [page("x".repeat(5 * 1024 * 1024), "text/plain"), /has 5\.0 MB, more than the 4\.0 MB/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(readAttachments(url, options), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const { fetch } = page("x");
  for (const local of ["http://127.0.0.1/a", "http://localhost:9/a"]) {
    await assert.rejects(
      readAttachments(local, { fetch }),
      /is this machine or in the local network/,
    );
  }
});

Deno.test("attachments come before the text of a message", async () => {
  using folder = temporaryFolder();
  const text = await readAttachment(folder.write("a.txt", "A"));
  assert.deepEqual(messageWith("Why?", [text]), {
    role: "user",
    content: '<file name="a.txt">\nA\n</file>\n\nWhy?',
  });
});
