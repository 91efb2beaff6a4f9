/**
 * Coding agents talk to every provider through the gateway: what they send after two tool calls.
 *
 * Recorded from Claude Code 2.1.197, Codex CLI 0.171.0, Gemini CLI 0.61.0 and OpenCode 1.18.33 at a gateway
 * whose provider spoke their format. Long texts are cut off, and ids are replaced.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PROVIDER_NAMES, startClientGateway } from "../../support/client_gateway.ts";

interface Agent {
  file: string;
  /** The path of its requests. */
  path: (model: string) => string;
  headers?: Record<string, string>;
  /** The tool that the model calls next, and its arguments. */
  call: { name: string; arguments: Record<string, unknown> };
  /** The end of a stream that is complete. */
  end: RegExp;
}

const AGENTS: readonly Agent[] = [
  {
    file: "claude_code",
    path: () => "/v1/messages?beta=true",
    headers: {
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14," +
        "context-management-2025-06-27,mid-conversation-system-2026-04-07,effort-2025-11-24",
    },
    call: { name: "Read", arguments: { file_path: "/home/user/project/a.txt" } },
    end: /event: message_stop/,
  },
  {
    file: "codex",
    path: () => "/v1/responses",
    call: { name: "exec_command", arguments: { cmd: "ls" } },
    end: /event: response\.completed/,
  },
  {
    file: "gemini_cli",
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    call: { name: "run_shell_command", arguments: { command: "ls" } },
    end: /"finishReason": ?"STOP"/,
  },
  {
    file: "opencode",
    path: () => "/v1/chat/completions",
    call: { name: "bash", arguments: { command: "ls" } },
    end: /\[DONE\]/,
  },
];

function recorded(file: string) {
  const url = new URL(`../../fixtures/gateway/agents/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

for (const { file, path, headers, call, end } of AGENTS) {
  for (const model of PROVIDER_NAMES) {
    Deno.test(`${file} with ${model}: the next tool call after two results`, async () => {
      await using gateway = await startClientGateway({
        responses: [{ thinking: "One more.", toolCalls: [call] }],
      });
      const body = recorded(file);
      if ("model" in body) body.model = model;
      const response = await fetch(gateway.origin + path(model), {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
      assert.match(text, end);
      assert.ok(text.includes(call.name), text);
      const [{ body: sent, status }] = gateway.upstream;
      assert.equal(status, 200);
      // Both results arrive.
      for (const result of ["4711", "ran-42"]) assert.ok(JSON.stringify(sent).includes(result));
      assert.equal(gateway.facts[0].outcome, "success");
    });
  }
}
