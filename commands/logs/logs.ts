/**
 * `flexllm logs`: lists, searches, shows, exports and deletes the conversations that `ask` and `chat` save.
 *
 * @module
 */
import { rejectWords } from "../errors/reject_words.ts";
import { Argument, Command, Option } from "@commander-js/extra-typings";
import { EXPORT_FORMATS } from "../../lib/conversations/export_formats.ts";
import { answerFlags } from "../flags/answer.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { addNotes } from "../flags/help_notes.ts";
import { integer } from "../flags/parse.ts";
import { pastTime } from "../flags/past_time.ts";
import { addExamples } from "../flags/shared_options.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { CONVERSATION_HELP, filterFlags, openStore } from "./filter_flags.ts";

const countFlag = () =>
  new Option("-n, --count <count>", "maximum number of conversations (default: 20)")
    .argParser(integer(1)).helpGroup(HELP_GROUPS.output);

const jsonFlag = () => new Option("--json", "print JSON").helpGroup(HELP_GROUPS.output);

const conversation = () => new Argument("<conversation>", CONVERSATION_HELP);

/** The flags of a subcommand. Commander assigns those that `logs` also has to `logs`, wherever they are. */
function allFlags<
  A extends unknown[],
  O extends Record<string, unknown>,
  G extends Record<string, unknown>,
>(
  command: Command<A, O, G>,
): O {
  return command.optsWithGlobals() as unknown as O;
}

/** Adds the flags that select conversations. */
function selecting<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  return command.addOption(filterFlags.model).addOption(filterFlags.since)
    .addOption(filterFlags.until);
}

/** Adds the flags that decide how a conversation is printed. */
function showing<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command
    .optionsGroup(HELP_GROUPS.output)
    .option("--answer", "print only the last answer")
    .option("--code", "print only the last code block of the last answer")
    .option("--show-thinking", "print thinking in full")
    .addOption(answerFlags.raw)
    .addOption(jsonFlag());
}

function list() {
  const command = selecting(new Command("list"))
    .description("list saved conversations, most recently used first (the default)")
    .addOption(countFlag())
    .addOption(jsonFlag())
    .action(async (_, command) => {
      const { json = false, ...flags } = allFlags(command);
      const { listConversations } = await import("./list.ts");
      listConversations(await openStore(), { ...flags, json });
    });
  return addExamples(command, [
    "flexllm logs",
    "flexllm logs list -n 50",
    "flexllm logs list -m gpt-5 --since 7d",
    "flexllm logs list --since 2026-11-01 --until 2026-11-30 --json",
  ]);
}

function show() {
  const command = showing(new Command("show").argument("<conversation...>", CONVERSATION_HELP))
    .description("print conversations in full")
    .action(async (references, _, command) => {
      const flags = allFlags(command);
      const { findConversations } = await import("./find.ts");
      const { showConversations } = await import("./show.ts");
      await showConversations(findConversations(await openStore(), references), flags);
    });
  return addExamples(command, [
    "flexllm logs show last",
    "flexllm logs show 3",
    "flexllm logs show 20261128-1012",
    "flexllm logs show last --answer > answer.md",
    "flexllm logs show last --code > script.py",
  ]);
}

function last() {
  const command = showing(
    selecting(
      new Command("last").addArgument(
        new Argument("[number]", "how many (default: 1)").argParser(integer(1)),
      ),
    ),
  )
    .description("print the most recently used conversations in full, newest last")
    .action(async (count, _, command) => {
      const { model, since, until, ...flags } = allFlags(command);
      const { lastUsed } = await import("./find.ts");
      const { showConversations } = await import("./show.ts");
      const found = lastUsed(await openStore(), count ?? 1, { model, since, until });
      await showConversations(found.reverse(), flags);
    });
  return addExamples(command, [
    "flexllm logs last",
    "flexllm logs last 3 -m claude",
    "flexllm logs last --answer",
  ]);
}

function search() {
  const command = selecting(
    new Command("search").argument("<text...>", "words that must all occur"),
  )
    .description("search the text of all conversations")
    .addOption(countFlag())
    .addOption(jsonFlag())
    .action(async (words, _, command) => {
      const { json = false, ...flags } = allFlags(command);
      const { searchConversations } = await import("./search.ts");
      searchConversations(await openStore(), words.join(" "), { ...flags, json });
    });
  addNotes(command, [
    "All words must occur somewhere in a conversation: in its title, prompts, answers, thinking, tool calls or " +
    'names of attached files. "Quoted words" must occur in that order. Case and accents are ignored, and a word ' +
    "also finds longer ones that start with it.",
  ]);
  return addExamples(command, [
    "flexllm logs search rivers",
    "flexllm logs search python retry --since 30d",
    "flexllm logs search '\"connection reset\" proxy'",
    "flexllm logs search budget -m gpt-5 --json",
  ]);
}

function rename() {
  const command = new Command("rename")
    .description("set the title of a conversation")
    .addArgument(conversation())
    .argument("<title>", 'the title; "" restores the automatic one')
    .addOption(jsonFlag())
    .action(async (reference, title, _, command) => {
      const { json = false } = allFlags(command);
      const { renameConversation } = await import("./rename.ts");
      await renameConversation(await openStore(), reference, title, json);
    });
  return addExamples(command, [
    'flexllm logs rename last "Rivers of Europe"',
    'flexllm logs rename 3 ""',
  ]);
}

function exporting() {
  const command = selecting(
    new Command("export")
      .description("write conversations to a file, or to stdout")
      .argument("[conversation...]", CONVERSATION_HELP),
  )
    .addOption(
      new Option("--all", "all conversations").helpGroup(HELP_GROUPS.conversation),
    )
    .optionsGroup(HELP_GROUPS.output)
    .option("-o, --output <file>", "file to write (default: standard output)")
    .addOption(
      new Option("--to <format>", "format (default: by the name of the file, else md)")
        .choices(EXPORT_FORMATS),
    )
    .option("-y, --yes", "replace an existing file without asking")
    .action(async (references, _, command) => {
      const { exportLogs } = await import("./export.ts");
      await exportLogs(await openStore(), references, allFlags(command));
    });
  addNotes(command, [
    "json has everything that is saved. jsonl has a line of messages per conversation, which flexllm batch and " +
    "training tools read. html is a single page that loads nothing.",
  ]);
  return addExamples(command, [
    "flexllm logs export last",
    "flexllm logs export 3 -o rivers.md",
    "flexllm logs export --all -o conversations.jsonl",
    "flexllm logs export --since 30d -m gpt-5 -o november.html",
  ]);
}

function deleting() {
  const command = new Command("delete")
    .description("delete conversations")
    .argument("[conversation...]", CONVERSATION_HELP)
    .optionsGroup(HELP_GROUPS.conversation)
    .addOption(
      new Option(
        "--older-than <time>",
        "all that were last used before then: 30d, 2026-11-01",
      ).argParser(pastTime("start")),
    )
    .option(
      "-m, --model <name>",
      "with --older-than: only those with a model whose name contains this",
    )
    .optionsGroup(HELP_GROUPS.output)
    .option("--dry-run", "list what would be deleted")
    .option("-y, --yes", "don't ask for confirmation")
    .addOption(jsonFlag())
    .action(async (references, _, command) => {
      const { deleteLogs } = await import("./delete.ts");
      await deleteLogs(await openStore(), references, allFlags(command));
    });
  return addExamples(command, [
    "flexllm logs delete 3 4",
    "flexllm logs delete --older-than 30d --dry-run",
    "flexllm logs delete --older-than 30d --yes",
  ]);
}

function path() {
  const command = new Command("path")
    .description("print the folder of the saved conversations")
    .addOption(jsonFlag())
    .action(async (_, command) => {
      const { json } = allFlags(command);
      const { folder } = await openStore();
      if (json) return writeJson({ path: folder });
      writeOutput(`${folder}\n`);
    });
  return addExamples(command, ["flexllm logs path"]);
}

/** The command. */
export function logsCommand() {
  const command = selecting(
    new Command("logs")
      .usage("[options]\n       flexllm logs <command>")
      // Not in the help: a misspelled subcommand gets an explanation.
      .argument("[words...]"),
  )
    .addOption(countFlag())
    .addOption(jsonFlag())
    .addCommand(list())
    .addCommand(show())
    .addCommand(last())
    .addCommand(search())
    .addCommand(rename())
    .addCommand(exporting())
    .addCommand(deleting())
    .addCommand(path());
  command.action(async (words, { json = false, ...flags }) => {
    await rejectWords(words, {
      command: "logs",
      names: command.commands.map((each) => each.name()),
      otherwise:
        "To search for it, use `flexllm logs search`; to show a conversation, `flexllm logs show`.",
    });
    const { listConversations } = await import("./list.ts");
    listConversations(await openStore(), { ...flags, json });
  });
  addNotes(command, [
    "Name a conversation by its number in the list, its ID or the start of it, `last`, or words that only it " +
    "contains. ask and chat save conversations unless you pass --no-save.",
  ]);
  return addExamples(command, [
    "flexllm logs",
    "flexllm logs show last",
    "flexllm logs search river delta",
    "flexllm logs export last -o answer.md",
    "flexllm logs delete --older-than 30d",
  ]);
}
