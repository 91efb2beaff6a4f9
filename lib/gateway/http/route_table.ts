/**
 * The closed table of the paths that the gateway answers. Everything else is refused.
 *
 * Paths are compared as the runtime passes them on: nothing more is decoded, resolved or normalized, so that no
 * spelling of a path reaches a route that its checks do not cover. Bun and Node resolve `..` before that.
 *
 * @module
 */
import type { RequestContext, ServerRoute } from "../../protocols/serve.ts";
import { routePattern } from "../../protocols/servers.ts";
import type { ServedFormat } from "../../protocols/servers.ts";

/** The paths for embeddings, after `/models/{model}`. */
export type EmbeddingOperation = "embeddings" | "embedContent" | "batchEmbedContents";

/** A call of a model. */
export interface CallMatch {
  readonly kind: "call";
  readonly format: ServedFormat;
  readonly context: RequestContext;
}

/** What a path is for. */
export type RouteMatch =
  | CallMatch
  | { kind: "embeddings"; operation: EmbeddingOperation; model?: string }
  | { kind: "models" }
  | { kind: "model"; id: string }
  | { kind: "live" | "ready" }
  /** A page for operators. */
  | { kind: "admin"; path: string };

/** A route and the methods that it allows. */
export interface TableEntry {
  readonly match: RouteMatch;
  readonly methods: readonly string[];
}

const GET = ["GET", "HEAD"];
const POST = ["POST"];

/** The paths of the operator's pages. */
const ADMIN_PATHS: readonly string[] = ["/", "/status", "/metrics"];

const GEMINI_EMBEDDINGS = /^(?<model>.+):(?<operation>embedContent|batchEmbedContents)$/;

/** A route whose path contains the model. */
interface ModelRoute {
  readonly format: ServedFormat;
  readonly route: ServerRoute;
  readonly pattern: RegExp;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Finds the routes of paths. */
export class RouteTable {
  readonly #exact = new Map<string, TableEntry>();
  readonly #modelPrefixes: readonly string[];
  readonly #modelRoutes: readonly ModelRoute[];

  constructor(formats: readonly ServedFormat[]) {
    const prefixes = new Set(formats.flatMap(({ server }) => server.prefixes));
    for (const format of formats) this.#addCalls(format);
    for (const prefix of prefixes) {
      this.#exact.set(`${prefix}/models`, { match: { kind: "models" }, methods: GET });
    }
    for (const prefix of ["", "/v1"]) {
      const match = { kind: "embeddings", operation: "embeddings" } as const;
      this.#exact.set(`${prefix}/embeddings`, { match, methods: POST });
    }
    for (const kind of ["live", "ready"] as const) {
      this.#exact.set(`/health/${kind}`, { match: { kind }, methods: GET });
    }
    for (const path of ADMIN_PATHS) {
      this.#exact.set(path, { match: { kind: "admin", path }, methods: GET });
    }
    this.#modelPrefixes = [...prefixes].map((prefix) => `${prefix}/models/`);
    this.#modelRoutes = formats.flatMap((format) =>
      format.server.routes.filter(({ path }) => path.includes("{model}"))
        .map((route) => ({ format, route, pattern: routePattern(route.path) }))
    );
  }

  #addCalls(format: ServedFormat): void {
    for (const { path, operation, stream } of format.server.routes) {
      if (path.includes("{model}")) continue;
      const match: RouteMatch = { kind: "call", format, context: { operation, stream } };
      for (const prefix of format.server.prefixes) {
        this.#exact.set(`${prefix}${path}`, { match, methods: POST });
      }
    }
  }

  /** The entry of a path; `undefined` if the gateway does not have it. */
  find(path: string): TableEntry | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    const prefix = this.#modelPrefixes.find((prefix) => path.startsWith(prefix));
    return prefix === undefined ? undefined : this.#ofModel(path.slice(prefix.length));
  }

  /** The entry of a path whose end, after `/models/`, begins with a model. */
  #ofModel(end: string): TableEntry | undefined {
    // The model is only looked up in the gateway's own list of names.
    const name = decoded(end);
    if (name === undefined || name === "") return undefined;
    const embedding = GEMINI_EMBEDDINGS.exec(name)?.groups;
    if (embedding !== undefined) {
      const { model, operation } = embedding as { model: string; operation: EmbeddingOperation };
      return { match: { kind: "embeddings", operation, model }, methods: POST };
    }
    for (const { format, route, pattern } of this.#modelRoutes) {
      const model = pattern.exec(`/models/${name}`)?.groups?.model;
      if (model === undefined) continue;
      const { operation, stream } = route;
      return {
        match: { kind: "call", format, context: { operation, stream, model } },
        methods: POST,
      };
    }
    return { match: { kind: "model", id: name }, methods: GET };
  }

  /** The path that was probably meant by one that the gateway does not have. */
  suggestion(path: string): string | undefined {
    const tidy = path.toLowerCase().replace(/\/{2,}/g, "/").replace(/(.)\/+$/, "$1");
    const versionless = tidy.replace(/^\/(?:api|openai|anthropic)(?=\/)/, "");
    const once = versionless.replace(/^(\/v1(?:beta)?)(?:\/v1(?:beta)?)+(?=\/)/, "$1");
    return [tidy, versionless, once].find((candidate) => this.#exact.has(candidate));
  }
}
