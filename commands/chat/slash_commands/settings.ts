/**
 * `/model`, `/system`, `/temperature` and `/thinking`: change the settings of the conversation.
 *
 * @module
 */
import { THINKING_LEVELS } from "../../../lib/chat/options.ts";
import { configuredNames, switchModel } from "../../conversation/connect.ts";
import { numberWithin, thinkingLevel } from "../../flags/parse.ts";
import type { ChatContext } from "../chat_context.ts";
import { parseArgument, type SlashCommand } from "./slash_command.ts";

/** Arguments that restore a default. */
const RESET_WORDS = ["default", "reset"];

/** Saves a changed setting. A conversation without messages is not saved yet. */
async function saveSettings(session: ChatContext["session"]): Promise<void> {
  if (session.conversation.turns.length > 0) await session.save();
}

/** `/model`: switches to another model, or lists the configured ones. */
export const modelCommand: SlashCommand = {
  usage: "[NAME]",
  help: "switch to another model; without a name, list them",
  async run({ session, config, flags, say }, name) {
    const { conversation } = session;
    if (name === "") {
      const current = conversation.named_model ?? conversation.model;
      const names = configuredNames(config);
      const listed = names.includes(current) ? names : [current, ...names];
      return listed.forEach((name) => say(`${name === current ? "*" : " "} ${name}`));
    }
    const { client, settings, defaults } = switchModel(config, flags, conversation, name);
    await session.client.close();
    session.client = client;
    session.defaults = defaults;
    delete conversation.base_url;
    Object.assign(conversation, settings);
    await saveSettings(session);
    say(`Switched to ${name}.`);
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
    await saveSettings(session);
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
    if (text !== "") await saveSettings(session);
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
    if (text !== "") await saveSettings(session);
    const { thinking = "the provider's default" } = conversation;
    say(`thinking: ${thinking === true ? "on" : thinking === false ? "off" : thinking}`);
  },
};
