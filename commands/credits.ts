/**
 * Implements `flexllm credits`, which shows the remaining balance of an API key.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { resolveModel } from "../lib/config/resolve_model.ts";
import type { Amount, Credits } from "../lib/services/credits/decode.ts";
import { maskKey } from "../lib/redact.ts";
import { warnAboutCleartext } from "./connect.ts";
import { modelFlags, SHORT_TIMEOUT } from "./flags/model.ts";
import { addNotes } from "./flags/help_notes.ts";
import { addExamples, commonFlags } from "./flags/shared_options.ts";
import { readConfig } from "./read_config.ts";
import { colored, writeJson, writeOutput } from "./terminal/output.ts";

/** Formats an amount with its currency, e.g. `$12.34` or `5.00 CNY`. */
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

/** Creates the command. */
export function creditsCommand() {
  const command = new Command("credits")
    .addOption(modelFlags.model)
    .option("--json", "print JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async (flags) => {
      const { queryCredits } = await import("../lib/services/credits/credits.ts");
      const endpoint = resolveModel(readConfig(flags.config), process.env, flags);
      warnAboutCleartext([endpoint]);
      const { service, ...credits } = await queryCredits(endpoint, {
        timeout: flags.timeout ?? SHORT_TIMEOUT,
        openaiAdminKey: process.env.OPENAI_ADMIN_KEY || undefined,
        now: Date.now(),
      });
      if (flags.json) writeJson({ service, ...credits });
      else writeOutput(`${lines(service, endpoint.apiKey, credits).join("\n")}\n`);
    });
  const examples = ["flexllm credits", "flexllm credits -m grok-4", "flexllm credits --json"];
  return addNotes(addExamples(command, examples), [
    "Supported services: OpenRouter, SiliconFlow, DeepSeek, AI/ML API, and OpenAI (costs of the " +
    "current month, with an admin key in OPENAI_ADMIN_KEY). The model's provider determines the " +
    "service, or else its base URL. If a provider is set, the base URL can point to a proxy.",
  ]);
}
