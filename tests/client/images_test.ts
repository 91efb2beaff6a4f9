import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { LLMClient, type Message } from "../../mod.ts";
import { startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const PNG_URL = `data:image/png;base64,${PNG.toString("base64")}`;

function show(...urls: string[]): Message[] {
  const images = urls.map((url) => ({ type: "image_url" as const, image_url: { url } }));
  return [{ role: "user", content: [{ type: "text", text: "What is this?" }, ...images] }];
}

Deno.test("a local image is read when it is sent, without modifying the caller's messages", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const path = folder.file("cat.png");
  writeFileSync(path, PNG);
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m" });
  const messages = show(path, pathToFileURL(path).href, "https://host/dog.png", PNG_URL);
  const before = structuredClone(messages);
  await client.chatCompletions(messages);
  await client.chatCompletionsStream(messages).finalResult();
  assert.deepEqual(messages, before);
  for (const { messages: [{ content }] } of mock.requests) {
    const urls = content.slice(1).map(({ image_url }: { image_url: { url: string } }) =>
      image_url.url
    );
    assert.deepEqual(urls, [PNG_URL, PNG_URL, "https://host/dog.png", PNG_URL]);
  }
});

Deno.test("remote images are downloaded for a provider that accepts no URLs", async () => {
  await using mock = await watchedMock();
  await using images = await startRawServer((socket, { path }) => {
    const found = path.endsWith("cat.png");
    socket.write(
      `HTTP/1.1 ${found ? 200 : 404} X\r\ncontent-length: ${found ? PNG.length : 0}\r\n\r\n`,
    );
    if (found) socket.write(PNG);
  });
  const baseUrl = mock.baseUrl.replace("/v1", "/v1beta");
  await using client = new LLMClient({
    provider: "gemini",
    baseUrl,
    model: "gemini-3-flash",
    attachments: { allowPrivateUrls: true },
  });
  await client.chatCompletions(show(`${images.baseUrl}/cat.png`));
  assert.deepEqual(mock.requests[0].contents[0].parts[1], {
    inlineData: { mimeType: "image/png", data: PNG.toString("base64") },
  });
  await assert.rejects(client.chatCompletions(show(`${images.baseUrl}/none.png`)), {
    code: "invalid_input",
    message: /the server answered 404/,
  });
});

Deno.test("an image that cannot be sent is rejected before anything is sent", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m" });
  writeFileSync(folder.file("large.png"), Buffer.concat([PNG, Buffer.alloc(21 * 1024 * 1024)]));
  const cases: [string, RegExp][] = [
    [folder.file("none.png"), /cannot read the image .*none\.png/],
    [folder.write("notes.png", "just text"), /notes\.png is neither PNG, JPEG, GIF nor WebP/],
    [folder.file("large.png"), /has 21\.0 MB, more than the 20\.0 MB that can be sent/],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(client.chatCompletions(show(path)), { code: "invalid_input", message });
    await assert.rejects(client.chatCompletionsStream(show(path)).finalResult(), { message });
  }
  assert.equal(mock.requests.length, 0);
});
