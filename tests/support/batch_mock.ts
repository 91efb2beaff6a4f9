/** Drives the batch APIs of the mock over HTTP. */
import assert from "node:assert/strict";
import { type MockBatchOptions, type MockOptions, startMockServer } from "../../mod.ts";

/** The lines of an input in OpenAI's format: one prompt each. */
export function inputLines(prompts: readonly string[], model = "any"): string {
  return prompts.map((content, i) => {
    const body = { model, messages: [{ role: "user", content }] };
    return `${
      JSON.stringify({ custom_id: `r${i}`, method: "POST", url: "/v1/chat/completions", body })
    }\n`;
  }).join("");
}

/** `count` different prompts. */
export function prompts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `Question ${i}`);
}

/** A result line. */
export interface ResultLine {
  custom_id: string;
  // deno-lint-ignore no-explicit-any
  response: any;
  // deno-lint-ignore no-explicit-any
  error: any;
}

/** Parses result lines, which only U+000A ends. */
export function parseLines(text: string): ResultLine[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** A client of one mock. */
export class BatchClient {
  readonly origin: string;
  readonly base: string;

  constructor(origin: string, prefix = "") {
    this.origin = origin;
    this.base = `${origin}${prefix}/v1`;
  }

  /** Sends JSON and returns the answer. */
  send(method: string, path: string, body?: unknown, headers: HeadersInit = {}): Promise<Response> {
    return fetch(`${this.base}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** Sends JSON, and returns the JSON of an answer with status 2xx. */
  // deno-lint-ignore no-explicit-any
  async json(method: string, path: string, body?: unknown): Promise<any> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Uploads an input and returns the answer. */
  upload(text: string): Promise<Response> {
    const form = new FormData();
    form.append("purpose", "batch");
    form.append("file", new Blob([text]), "in.jsonl");
    return fetch(`${this.base}/files`, { method: "POST", body: form });
  }

  /** Uploads an input and returns its id. */
  async uploaded(text: string): Promise<string> {
    const response = await this.upload(text);
    assert.equal(response.status, 200);
    return (await response.json()).id;
  }

  /** Requests the creation of a batch. */
  create(input_file_id: string, more: object = {}): Promise<Response> {
    const endpoint = "/v1/chat/completions";
    return this.send("POST", "/batches", {
      input_file_id,
      endpoint,
      completion_window: "24h",
      ...more,
    });
  }

  /** Uploads prompts and creates their batch. */
  // deno-lint-ignore no-explicit-any
  async batch(questions: readonly string[]): Promise<any> {
    const response = await this.create(await this.uploaded(inputLines(questions)));
    assert.equal(response.status, 200);
    return await response.json();
  }

  /** The lines of a file. */
  async content(id: string): Promise<ResultLine[]> {
    const response = await fetch(`${this.base}/files/${id}/content`);
    assert.equal(response.status, 200);
    return parseLines(await response.text());
  }

  /** Moves the mock's clock forward. */
  async advance(seconds: number): Promise<void> {
    const response = await fetch(`${this.origin}/__mock/batches/clock`, {
      method: "POST",
      body: JSON.stringify({ advance: seconds }),
    });
    assert.equal(response.status, 200);
    await response.text();
  }

  /** The ledger, with all billed requests. */
  // deno-lint-ignore no-explicit-any
  async ledger(): Promise<any> {
    return await (await fetch(`${this.origin}/__mock/batches?rows=all`)).json();
  }
}

/** Runs `use` with a mock. */
export async function withBatchMock(
  batch: MockBatchOptions,
  use: (client: BatchClient) => Promise<void>,
  options: MockOptions & { prefix?: string } = {},
): Promise<void> {
  await using server = await startMockServer({ ...options, batch });
  await use(new BatchClient(server.baseUrl.replace(/\/v1$/, ""), options.prefix));
}
