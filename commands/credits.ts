/**
 * `flexllm credits`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { resolveModel } from "../lib/config/resolve_model.ts";
import type { Amount, Credits } from "../lib/services/credits/decode.ts";
import { maskKey } from "../lib/redact.ts";
import { readConfig, warnOfCleartext } from "./connect.ts";
import { addExamples, commonFlags, modelFlags } from "./flags/shared_options.ts";
import { colored, writeJson, writeOutput } from "./terminal/output.ts";

/** An amount with its currency: dollars as everybody writes them, others with their code. */
export function money({ amount, currency }: Pick<Amount, "amount" | "currency">): string {
  if (currency === "credits") return `${amount.toLocaleString("en-US")} credits`;
  const digits = amount !== 0 && Math.abs(amount) < 0.01 ? 6 : 2;
  const text = Math.abs(amount).toLocaleString("en-US", {
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  });
  const sign = amount < 0 ? "-" : "";
  return currency === "USD" ? `${sign}$${text}` : `${sign}${text} ${currency}`.trim();
}

function lines(service: string, key: string | undefined, credits: Credits): string[] {
  const rows = [...credits.remaining, ...credits.details];
  const labels = Math.max(...rows.map(({ label }) => label.length));
  const amounts = rows.map(money);
  const width = Math.max(...amounts.map((text) => text.length));
  const remaining = credits.remaining.length;
  return [
    key === undefined ? service : `${service}, key ${maskKey(key)}`,
    ...rows.map(({ label }, i) => {
      const text = amounts[i].padStart(width);
      const shown = i < remaining ? colored("bold", text, process.stdout) : text;
      return `  ${label.padEnd(labels)}  ${shown}`;
    }),
    ...credits.notes.map((note) => `  ${note}`),
  ];
}

/** The command. */
export function creditsCommand() {
  const command = new Command("credits")
    .addOption(modelFlags.model)
    .option("--json", "print it as JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async (flags) => {
      const { queryCredits } = await import("../lib/services/credits/credits.ts");
      const endpoint = resolveModel(readConfig(flags.config), process.env, flags);
      warnOfCleartext([endpoint]);
      const { service, ...credits } = await queryCredits(endpoint, {
        timeout: flags.timeout ?? 30,
        openaiAdminKey: process.env.OPENAI_ADMIN_KEY || undefined,
        now: Date.now(),
      });
      if (flags.json) writeJson({ service, ...credits });
      else writeOutput(`${lines(service, endpoint.apiKey, credits).join("\n")}\n`);
    });
  return addExamples(command, [
    "flexllm credits",
    "flexllm credits -m grok-4",
    "flexllm credits --json",
  ]).addHelpText(
    "after",
    `
Services that can be asked: OpenRouter, SiliconFlow, DeepSeek, AI/ML API, and
OpenAI (costs of this month, with an admin key in OPENAI_ADMIN_KEY). The model's
provider or base URL tells the service; where provider is named, base_url may be
another one, such as a proxy's.`,
  );
}
