/** Opens pages in Chromium without a window, through its remote interface (Chrome DevTools Protocol). */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/** The program; `undefined` if it is not installed. */
export const chromium: string | undefined = NAMES.find((name) =>
  spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0
);

type Json = Record<string, unknown>;

/** One page of the browser. */
export class BrowserPage implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Json>>();
  readonly #loads: (() => void)[] = [];
  #session: string | undefined;
  #count = 0;
  /** What the browser complained about, such as violations of the page's policy. */
  readonly complaints: string[] = [];

  private constructor(process: ChildProcess, socket: WebSocket, folder: string) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
  }

  /** Starts the browser with an empty page. */
  static async open(): Promise<BrowserPage> {
    const folder = mkdtempSync(join(tmpdir(), "flexllm-chromium-"));
    const browser = spawn(chromium!, [
      "--headless=new",
      // Needs a user namespace, which containers often forbid; it only opens our own page.
      "--no-sandbox",
      "--disable-gpu",
      // They would take a part of the width.
      "--hide-scrollbars",
      "--no-first-run",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
    ], { stdio: ["ignore", "ignore", "pipe"] });
    let address: string | undefined;
    for await (const line of createInterface({ input: browser.stderr! })) {
      address = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1];
      if (address !== undefined) break;
    }
    // Otherwise a full pipe would block it.
    browser.stderr!.resume();
    if (address === undefined) throw new Error(`${chromium} has no remote interface`);
    const socket = new WebSocket(address);
    await once(socket as unknown as EventTarget, "open");
    const page = new BrowserPage(browser, socket, folder);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const attached = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = String(attached.sessionId);
    for (const domain of ["Page", "Log", "Accessibility"]) await page.send(`${domain}.enable`);
    return page;
  }

  #receive({ id, method, params, result, error }: Json): void {
    if (method === "Page.loadEventFired") this.#loads.shift()?.();
    if (method === "Log.entryAdded") {
      this.complaints.push(String(((params as Json).entry as Json).text));
    }
    const waiting = this.#waiting.get(id as number);
    if (waiting === undefined) return;
    this.#waiting.delete(id as number);
    if (error === undefined) waiting.resolve(result as Json);
    else waiting.reject(new Error(String((error as Json).message)));
  }

  /** Sends a command of the protocol. */
  send(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.#count;
    const waiting = Promise.withResolvers<Json>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return waiting.promise;
  }

  /** Shows `url` on a screen of this width. */
  async visit(url: string, width: number, scheme: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
    const loaded = new Promise<void>((resolve) => this.#loads.push(resolve));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** The value of a JavaScript expression on the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    return (result as Json).value;
  }

  /** The roles and names of everything that screen readers can find. */
  async accessible(): Promise<{ role: string; name: string }[]> {
    const { nodes } = await this.send("Accessibility.getFullAXTree");
    return (nodes as Json[]).filter(({ ignored }) => ignored !== true).map(({ role, name }) => ({
      role: String((role as Json | undefined)?.value),
      name: String((name as Json | undefined)?.value ?? ""),
    }));
  }

  /** Presses the Tab key. */
  async pressTab(): Promise<void> {
    for (const type of ["rawKeyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", { type, key: "Tab", windowsVirtualKeyCode: 9 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session = undefined;
    const ended = once(this.#process, "exit");
    await this.send("Browser.close");
    await ended;
    this.#socket.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
