/**
 * A program that sends completions, all at once and then one by one, and prints the answers and errors. It ends without
 * closing its client. The last argument is the timeout in seconds.
 */
import process from "node:process";
import { LLMClient } from "../../../mod.ts";

const [baseUrl, atOnce, inTurn, timeout = "60"] = process.argv.slice(2);
const client = new LLMClient({
  baseUrl,
  model: "m",
  retryTimes: 0,
  timeout: Number(timeout),
  concurrencyLimit: Math.max(1, Number(atOnce)),
});

async function send(): Promise<string> {
  try {
    return (await client.chatCompletions([{ role: "user", content: "Hello" }])).content;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const results = await Promise.all(Array.from({ length: Number(atOnce) }, send));
for (let i = 0; i < Number(inTurn); i++) results.push(await send());
process.stdout.write(JSON.stringify(results));
