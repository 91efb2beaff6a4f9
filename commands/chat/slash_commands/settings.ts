/**
 * `/model`, `/system`, `/temperature` and `/thinking`: change the settings of the conversation.
 *
 * @module
 */
import { THINKING_LEVELS } from "../../../lib/chat/options.ts";
import { shownUrl } from "../../../lib/redact.ts";
import { type ConversationModel, switchModel } from "../../conversation/connect.ts";
import { writeWarning } from "../../terminal/sentences.ts";
import { serverModels } from "../server_models.ts";
import { numberWithin, thinkingLevel } from "../../flags/parse.ts";
import type { ChatContext } from "../chat_context.ts";
import { parseArgument, type SlashCommand } from "./slash_command.ts";
import { selectableModels } from "../../../lib/config/models.ts";
import { similarName } from "../../../lib/similar_name.ts";

/** Arguments that restore a default. */
const RESET_WORDS = ["default", "reset"];

/** What a switch changed: the name, and the id and the server if they differ. */
function describeSwitch(
  before: string,
  previousUrl: string | undefined,
  { settings, server }: ConversationModel,
): string {
  const { model, named_model: name = model } = settings;
  const details = [];
  if (model !== name) details.push(model);
  if (server.baseUrl !== undefined && server.baseUrl !== previousUrl) {
    details.push(`at ${shownUrl(server.baseUrl)}`);
  }
  const where = details.length === 0 ? "" : ` (${details.join(" ")})`;
  return `Switched from ${before} to ${name}${where}.`;
}

/** Warns about a model that the server does not list. */
async function warnIfUnlisted(
  { session, say, config }: ChatContext,
  name: string,
): Promise<void> {
  if (selectableModels(config.value).includes(name)) return;
  const listed = await serverModels(session.client);
  if (listed.length === 0 || listed.includes(session.conversation.model)) return;
  const guess = similarName(name, listed);
  const similar = guess === undefined ? "" : ` Did you mean ${guess}?`;
  writeWarning(`the server does not list a model called ${name}.${similar}`, say);
}

/** `/model`: switches to another model, or lists the configured ones. */
export const modelCommand: SlashCommand = {
  usage: "[NAME]",
  help: "switch to another model; without a name, list them",
  async run(context, name) {
    const { session, config, flags, say } = context;
    const { conversation } = session;
    const current = conversation.named_model ?? conversation.model;
    if (name === "") {
      const names = selectableModels(config.value);
      const listed = names.includes(current) ? names : [current, ...names];
      return listed.forEach((name) => say(`${name === current ? "*" : " "} ${name}`));
    }
    const { baseUrl } = session.server;
    const connection = switchModel(config, flags, name, session.server);
    await session.connect(connection);
    say(describeSwitch(current, baseUrl, connection));
    await warnIfUnlisted(context, name);
  },
};

/** `/system`: sets, shows or removes the system prompt. */
export const systemCommand: SlashCommand = {
  usage: "[TEXT]",
  help: 'set or show the system prompt; "default" removes it',
  async run({ session, say }, text) {
    const { conversation } = session;
    if (text === "") return say(`system: ${conversation.system ?? "none"}`);
    if (RESET_WORDS.includes(text)) delete conversation.system;
    else conversation.system = text;
    await session.saveSettings();
    say("Applies from the next message.");
  },
};

/** `/temperature`: sets, shows or resets the temperature. */
export const temperatureCommand: SlashCommand = {
  usage: "[NUMBER]",
  help: 'set or show the temperature, 0 to 2; "default" restores the provider\'s',
  async run({ session, say }, text) {
    const { conversation } = session;
    if (RESET_WORDS.includes(text)) delete conversation.temperature;
    else if (text !== "") {
      conversation.temperature = parseArgument("temperature", text, numberWithin(0, 2));
    }
    if (text !== "") await session.saveSettings();
    say(`temperature: ${conversation.temperature ?? "the provider's default"}`);
  },
};

/** `/thinking`: sets, shows or resets how much the model thinks. */
export const thinkingCommand: SlashCommand = {
  usage: "[LEVEL]",
  help: `set or show thinking: on, off, ${THINKING_LEVELS.join(", ")}, a number of tokens, ` +
    "or default",
  async run({ session, say }, text) {
    const { conversation } = session;
    if (RESET_WORDS.includes(text)) delete conversation.thinking;
    else if (text !== "") conversation.thinking = parseArgument("thinking", text, thinkingLevel);
    if (text !== "") await session.saveSettings();
    const { thinking = "the provider's default" } = conversation;
    say(`thinking: ${thinking === true ? "on" : thinking === false ? "off" : thinking}`);
  },
};
