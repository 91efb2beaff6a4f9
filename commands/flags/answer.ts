/**
 * The flags of `ask` and `chat` that decide how answers are shown.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";

/** The flags. */
export const answerFlags = {
  raw: new Option("--raw", "print answers as they are, without rendering Markdown"),
  showThinking: new Option(
    "--show-thinking",
    "show the model's thinking, dimmed, on stderr (default: on a terminal)",
  ),
  noShowThinking: new Option("--no-show-thinking", "hide the model's thinking"),
};
