/** A mock server that records its requests. */
import { createMockApp, type MockOptions } from "../../mod.ts";
import { serve } from "../../lib/runtime/http_server.ts";

export interface WatchedMock extends AsyncDisposable {
  baseUrl: string;
  /** The bodies of all requests that have one, in the order of their arrival. */
  // deno-lint-ignore no-explicit-any
  requests: any[];
  /** The paths of all requests, in the order of their arrival. */
  paths: string[];
  /** How often each prompt was sent. */
  counts: () => Map<string, number>;
}

export async function watchedMock(options: MockOptions = {}): Promise<WatchedMock> {
  const app = createMockApp(options);
  // deno-lint-ignore no-explicit-any
  const requests: any[] = [];
  const paths: string[] = [];
  const server = await serve("127.0.0.1", 0, async (request) => {
    paths.push(new URL(request.url).pathname);
    if (request.method === "POST") requests.push(await request.clone().json());
    return await app.fetch(request);
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    requests,
    paths,
    counts() {
      const counts = new Map<string, number>();
      for (const { messages } of requests) {
        const question = messages.at(-1).content;
        counts.set(question, (counts.get(question) ?? 0) + 1);
      }
      return counts;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
