import assert from "node:assert/strict";
import { isForeign } from "../../lib/config/service_variables.ts";

Deno.test("a service's variable may be sent to that service, but to no other host without approval", () => {
  const cases: [variable: string, baseUrl: string, foreign: boolean][] = [
    ["OPENAI_API_KEY", "https://api.openai.com/v1", false],
    ["OPENAI_API_KEY", "https://eu.api.openai.com/v1", false],
    ["OPENAI_API_KEY", "https://api.openai.com.evil.example/v1", true],
    ["OPENAI_API_KEY", "https://evilapi.openai.com.example/v1", true],
    ["OPENAI_API_KEY", "http://localhost:8000/v1", true],
    ["OPENAI_API_KEY", "not a URL", true],
    ["ANTHROPIC_API_KEY", "https://api.anthropic.com/v1", false],
    ["ANTHROPIC_API_KEY", "https://api.openai.com/v1", true],
    ["GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta", false],
    ["GOOGLE_API_KEY", "https://generativelanguage.googleapis.com/v1beta", false],
    ["GOOGLE_APPLICATION_CREDENTIALS", "https://evil.example", true],
    ["AZURE_OPENAI_API_KEY", "https://me.openai.azure.com/openai/deployments/d", false],
    ["AZURE_OPENAI_API_KEY", "https://anybody.azure-api.net/openai", true],
    ["AZURE_CLIENT_SECRET", "https://me.azurewebsites.net/v1", true],
    ["AWS_SECRET_ACCESS_KEY", "https://x.execute-api.us-east-1.amazonaws.com/v1", true],
    ["AWS_REGION", "https://evil.example", false],
    ["GITHUB_TOKEN", "https://models.github.ai/inference", false],
    ["GITHUB_TOKEN", "https://evil.example", true],
    ["HF_TOKEN", "https://router.huggingface.co/v1", false],
    ["HF_TOKEN", "https://me-app.hf.space/v1", true],
    ["DEEPSEEK_API_KEY", "https://api.deepseek.com", false],
    ["DEEPSEEK_API_KEY", "https://evil.example", true],
    ["SLACK_BOT_TOKEN", "https://slack.com/api", true],
    ["MY_KEY", "https://evil.example", false],
    ["FLEXLLM_API_KEY", "https://evil.example", true],
    ["FLEXLLM_API_KEY", "https://api.groq.com/openai/v1", false],
    ["FLEXLLM_API_KEY", "http://127.0.0.1:8000/v1", false],
    ["FLEXLLM_API_KEY", "http://127.0.0.1.evil.example/v1", true],
    ["FLEXLLM_API_KEY", "http://[::1]:8000/v1", false],
    ["FLEXLLM_BASE_URL", "https://evil.example", false],
    // Not encrypted, but on this machine in the second case.
    ["OPENAI_API_KEY", "http://api.openai.com/v1", true],
    ["OLLAMA_API_KEY", "http://localhost:11434/v1", false],
  ];
  for (const [variable, baseUrl, foreign] of cases) {
    assert.equal(isForeign(variable, baseUrl, {}), foreign, `${variable} to ${baseUrl}`);
  }
});

Deno.test("variables can name the host of a service", () => {
  const env = { ANTHROPIC_BASE_URL: "https://proxy.example/anthropic", OPENAI_HOST: "junk" };
  assert.equal(isForeign("ANTHROPIC_API_KEY", "https://proxy.example/v1", env), false);
  assert.equal(isForeign("ANTHROPIC_API_KEY", "https://proxy.example:444/v1", env), true);
  assert.equal(isForeign("OPENAI_API_KEY", "https://proxy.example/v1", env), true);
  const own = {
    OPENAI_BASE_URL: "http://one.example/v1",
    FLEXLLM_BASE_URL: "http://two.example/v1",
  };
  for (const baseUrl of Object.values(own)) {
    assert.equal(isForeign("FLEXLLM_API_KEY", baseUrl, own), false);
  }
});
