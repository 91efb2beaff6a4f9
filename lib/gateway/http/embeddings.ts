/**
 * Passes requests for embeddings on to endpoints that speak the client's format.
 *
 * @module
 */
import { asCount, asObject, asObjects, type Json, tryParse } from "../../json/json.ts";
import { textSize } from "../../pricing/token_estimate.ts";
import { mayHaveRun } from "../../client/metering.ts";
import { parseResponse } from "../../protocols/decode_response.ts";
import { methodUrl } from "../../protocols/gemini/method_url.ts";
import { openaiResponses } from "../../protocols/openai_responses/openai_responses.ts";
import { jsonHeaders } from "../../protocols/request.ts";
import type { Usage } from "../../usage.ts";
import { type BufferedResponse, send } from "../../transport/http.ts";
import type { EncodedRequest } from "../../transport/request.ts";
import type { Admission } from "../access.ts";
import { GatewayError } from "../gateway_error.ts";
import { renameModel } from "../../json/edit_fields.ts";
import { headersToClient } from "../lanes/native/client_headers.ts";
import type { GatewayHost, NamedRoute, RouteTarget } from "./gateway_host.ts";
import type { HttpCall } from "./http_call.ts";
import type { EmbeddingOperation } from "./route_table.ts";

/** Seconds for the whole answer; batches of texts take a while on a CPU. */
const TIMEOUT = 120;

/** An answer with embeddings, and what is known of its cost. */
export interface Embedded {
  readonly body: string;
  /** Headers of the provider that the client gets. */
  readonly headers: Record<string, string>;
  /** Milliseconds that the call waited for its key's limits, for a free slot, and for the answer. */
  readonly waited: number;
  readonly target: RouteTarget;
  readonly usage: Usage;
  /** USD; `null` if the price is unknown. */
  readonly cost: number | null;
  /** The state of the key's limits. */
  readonly admission: Pick<Admission, "limits" | "spent"> | undefined;
}

/** Gemini's body names the model again, in each request of a batch. */
function geminiBody(body: Json, model: string): string {
  const name = model.includes("/") ? model : `models/${model}`;
  if (body.requests === undefined) return JSON.stringify({ ...body, model: name });
  const requests = asObjects(body.requests).map((request) => ({ ...request, model: name }));
  return JSON.stringify({ ...body, requests });
}

/** The request at one endpoint; `undefined` if it does not speak the client's format. */
function encode(
  { text, body, protocol, headers }: HttpCall,
  operation: EmbeddingOperation,
  { endpoint, model }: RouteTarget,
): EncodedRequest | undefined {
  const { connection } = endpoint;
  // Servers of the Responses API have OpenAI's embeddings beside it.
  const isOpenai = operation === "embeddings" && connection.speaks(openaiResponses);
  if (!isOpenai && !connection.speaks(protocol)) return undefined;
  if (operation !== "embeddings") {
    return {
      url: methodUrl(connection.endpoint, model, operation),
      headers: jsonHeaders(connection.endpoint, "x-goog-api-key"),
      body: geminiBody(body, model),
    };
  }
  const address = protocol.rawRequest?.(connection.endpoint, { operation, model, headers });
  return address && { ...address, body: renameModel(text, model) };
}

/** The input as text, for an estimate: OpenAI's `input`, Gemini's `content` or `requests`. */
function inputSize({ input, content, requests }: Json): number {
  const value = input ?? content ?? requests ?? "";
  // Texts can also be sent as lists of tokens.
  if (Array.isArray(value) && typeof value[0] === "number") return value.length;
  const texts: number[] = [];
  const add = (part: unknown): void => {
    if (typeof part === "string") texts.push(textSize(part));
    else if (typeof part === "number") texts.push(1);
    else if (typeof part === "object" && part !== null) Object.values(part).forEach(add);
  };
  add(value);
  return Math.ceil(texts.reduce((sum, size) => sum + size, 0));
}

function inputUsage(tokens: number): Usage {
  return { promptTokens: tokens, completionTokens: 0, totalTokens: tokens };
}

function usageOf(answer: BufferedResponse, estimate: number): Usage {
  const body = asObject(tryParse(answer.body));
  const usage = asObject(body?.usage) ?? asObject(body?.usageMetadata);
  const tokens = asCount(usage?.prompt_tokens) ?? asCount(usage?.promptTokenCount) ??
    asCount(usage?.total_tokens);
  return inputUsage(tokens ?? estimate);
}

function noEndpoint(route: NamedRoute, { protocol }: HttpCall): GatewayError {
  const api = protocol.name === "gemini" ? "Gemini's" : "OpenAI's";
  return new GatewayError(
    400,
    `no endpoint of "${route.name}" has embeddings in ${api} format`,
    {
      reason: "unsupported_operation",
      param: "model",
      hint: "Embeddings are passed on, not translated.",
    },
  );
}

/**
 * Gets the embeddings that a call asks for, within the limits of its key.
 *
 * @param onAttempt called before each attempt with the number of attempts
 * @throws {FlexLLMError} if it is refused or fails
 */
export async function embed(
  host: Pick<GatewayHost, "options" | "runAttempt" | "loadPrices">,
  call: HttpCall,
  route: NamedRoute,
  operation: EmbeddingOperation,
  onAttempt: (attempts: number) => void,
): Promise<Embedded> {
  let attempts = 0;
  const able = route.targets.filter((target) => encode(call, operation, target) !== undefined);
  if (able.length === 0) throw noEndpoint(route, call);
  const tokens = inputSize(call.body);
  const { access } = host.options;
  const { caller, signal } = call;
  const estimated = inputUsage(tokens);
  await host.loadPrices();
  const costOf = ({ endpoint, model }: RouteTarget, usage: Usage) =>
    endpoint.pricer?.(model, usage) ?? null;
  const costs = able.map((target) => costOf(target, estimated));
  const cost = costs.includes(null) ? null : Math.max(...costs as number[]);
  const demand = { route: route.name, promptTokens: tokens, completionTokens: 0, cost };
  const since = performance.now();
  using admission = await access?.admit(caller, demand, signal);
  const check = (target: RouteTarget) => {
    if (encode(call, operation, target) === undefined) throw noEndpoint(route, call);
  };
  const { answer, target } = await host.runAttempt(
    route,
    { call, tokens, check },
    async (target) => {
      const { endpoint, model } = target;
      const { connection } = endpoint;
      const request = encode(call, operation, target)!;
      // The attempt before may have used up what was reserved.
      if (attempts++ > 0) await admission?.renew(signal);
      onAttempt(attempts);
      try {
        const answer = await send(request, connection.fetch, { timeout: TIMEOUT, signal });
        // Throws the error that the answer may be.
        endpoint.read(
          answer,
          (answer) => parseResponse(call.protocol, answer, connection.endpoint),
        );
        return { answer, target };
      } catch (error) {
        if (mayHaveRun(error)) {
          const cost = costOf(target, estimated);
          const lost = { model, endpoint: endpoint.name, usage: estimated, cost };
          admission?.commit({ ...lost, isLost: true });
        }
        throw error;
      }
    },
  );
  const waited = performance.now() - since;
  const usage = usageOf(answer, tokens);
  const paid = costOf(target, usage);
  admission?.commit({ model: target.model, endpoint: target.endpoint.name, usage, cost: paid });
  const headers = headersToClient(answer.headers);
  return { body: answer.body, headers, waited, target, usage, cost: paid, admission };
}
