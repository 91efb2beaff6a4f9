/** Reads a stream with `fetch`: decoded to text, split at blank lines and parsed. */

const headers = { "content-type": "application/json", authorization: "Bearer bench-key" };

/** Yields the text of one stream as it arrives. */
export async function* streamTexts(
  baseUrl: string,
  index: number,
  maxTokens?: number,
): AsyncGenerator<string> {
  const messages = [{ role: "user", content: `Question ${index}: what is the answer?` }];
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = JSON.stringify({ model: "bench", messages, ...options, max_tokens: maxTokens });
  const response = await fetch(`${baseUrl}/chat/completions`, { method: "POST", headers, body });
  let partial = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (partial + piece).split("\n\n");
    partial = events.pop()!;
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      const text = JSON.parse(data).choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}
