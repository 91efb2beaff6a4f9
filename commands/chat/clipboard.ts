/**
 * Copies text to the clipboard: with the system's tool, through tmux, or by asking the terminal.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import process from "node:process";
import type { WriteStream } from "node:tty";
import { InvalidInputError } from "../../lib/errors.ts";

/** A command that copies its standard input. */
interface Tool {
  name: string;
  command: string;
  encode?: (text: string) => Buffer;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Maximum length of the text for the terminal, as Base64. Source: `osc52.sh` of hterm. */
const MAX_OSC52 = 100_000;

/** `clip.exe` expects UTF-16 with a byte order mark, or the system's code page. */
const CLIP: Pick<Tool, "encode"> = { encode: (text) => Buffer.from(`\ufeff${text}`, "utf16le") };

/** The tools that may work in `env`, the best first. */
export function clipboardTools(platform: string, env: Environment): Tool[] {
  const tools: Tool[] = [];
  const add = (name: string, command = name) => tools.push({ name, command });
  // Over SSH, the system's tools would copy to the clipboard of the other machine.
  const isRemote = Boolean(env.SSH_CONNECTION || env.SSH_TTY);
  if (!isRemote) {
    if (platform === "win32") return [{ name: "clip", command: "clip", ...CLIP }];
    if (platform === "darwin") add("pbcopy");
    if (env.WSL_DISTRO_NAME) tools.push({ name: "clip.exe", command: "clip.exe", ...CLIP });
    if (env.TERMUX_VERSION) add("termux-clipboard-set");
    if (env.WAYLAND_DISPLAY) add("wl-copy");
    if (env.DISPLAY) {
      add("xclip", "xclip -selection clipboard");
      add("xsel", "xsel --clipboard --input");
    }
  }
  // -w also copies to the terminal's clipboard, from tmux 3.2 on.
  if (env.TMUX) add("tmux", "tmux load-buffer -w - 2>/dev/null || tmux load-buffer -");
  return tools;
}

/** Runs a tool. Resolves with whether it worked. */
function run({ command, encode }: Tool, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    // xclip and wl-copy stay in the background, and would keep pipes for their output open.
    const child = process.platform === "win32"
      ? spawn(command, { stdio: ["pipe", "ignore", "ignore"], shell: true })
      : spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "ignore", "ignore"] });
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
    // The tool may be missing, and nothing reads.
    child.stdin!.on("error", () => {});
    child.stdin!.end(encode?.(text) ?? Buffer.from(text));
  });
}

/**
 * Copies `text`.
 *
 * @param terminal where to ask the terminal to copy; `undefined` without one
 * @returns how it was copied
 * @throws {InvalidInputError} if there is no way
 */
export async function copyToClipboard(
  text: string,
  terminal: WriteStream | undefined,
  env: Environment = process.env,
): Promise<string> {
  for (const tool of clipboardTools(process.platform, env)) {
    if (await run(tool, text)) return `with ${tool.name}`;
  }
  const encoded = Buffer.from(text).toString("base64");
  // Source: "Manipulate Selection Data" in xterm's ctlseqs. GNU Screen does not pass it on.
  if (terminal !== undefined && !env.STY && encoded.length <= MAX_OSC52) {
    terminal.write(`\x1b]52;c;${encoded}\x07`);
    return "through the terminal, if it allows that (OSC 52)";
  }
  const hint = "Install wl-copy, xclip or xsel, or write the conversation to a file with /save.";
  throw new InvalidInputError(
    terminal !== undefined && encoded.length > MAX_OSC52
      ? "the text is too long to be copied through the terminal"
      : "there is no program that can copy to the clipboard",
    { hint },
  );
}
