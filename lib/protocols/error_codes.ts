/**
 * Classifies the error codes and messages of services, beyond the HTTP status.
 *
 * Sources: the error pages of the services, named at each row; for services without codes, messages from
 * public issues and LobeHub's registry of error patterns.
 *
 * @module
 */

/**
 * The kind of an error: `quota`, credit or a quota is used up and a short wait does not help; `rate`, too many
 * requests for now; `concurrent`, too many requests at once; `blocked`, the prompt or the answer was rejected
 * for its content; `auth`, the key is not valid.
 */
export type ErrorKind = "quota" | "rate" | "concurrent" | "blocked" | "auth";

/** Codes and types by kind; a trailing `*` matches any text. */
const CODES: Record<ErrorKind, readonly string[]> = {
  quota: [
    // OpenAI, "Error codes".
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
    // Anthropic, "Errors".
    "billing_error",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    // Zhipu and Z.ai, "Error codes": balance; daily calls; the plan's 5-hour limit; an expired plan; weekly
    // and monthly limits.
    "1113",
    "1304",
    "1308",
    "1309",
    "1310",
    // Kimi, "Error codes".
    "exceeded_current_quota_error",
    // Volcengine Ark, "错误码".
    "AccountOverdueError",
    "ServiceOverdue",
    "QuotaExceeded",
    "SetLimitExceeded",
    // Alibaba Cloud Model Studio, "Error codes".
    "Arrearage",
    "AllocationQuota.FreeTierOnly",
    "CommodityNotPurchased",
    "PrepaidBillOverdue",
    "PostpaidBillOverdue",
    // SiliconFlow: insufficient balance.
    "30001",
    // Novita, "API Error Codes".
    "NOT_ENOUGH_BALANCE",
    "BILLING_BALANCE_NOT_ENOUGH",
    // Baidu AI Cloud, "错误码".
    "BILLING_INSUFFICIENT_BALANCE",
    "account_overdue",
    "QUOTA_USER_DAILY_*",
    // Venice, "Error Codes".
    "INSUFFICIENT_BALANCE",
    "API_KEY_USD_SPEND_LIMIT_EXCEEDED",
    "API_KEY_DIEM_SPEND_LIMIT_EXCEEDED",
    // MiniMax, xAI through gateways; Groq, "Spend Limits".
    "insufficient_balance",
    "insufficient_balance_error",
    "insufficient_credits",
    "insufficient_credit",
    "blocked_api_access",
    // one-api and new-api, the gateways that many Chinese services run on.
    "insufficient_user_quota",
    "pre_consume_token_quota_failed",
    "quota_not_enough",
  ],
  rate: [
    "rate_limit_error",
    "rate_limit_exceeded",
    "rate_limit_reached_error",
    "too_many_requests",
    "too_many_requests_error",
    "slow_down",
    "ramp_limit_exceeded",
    "RateLimitExceeded*",
    "ModelAccountRpmRateLimitExceeded",
    "ModelAccountTpmRateLimitExceeded",
    "RequestBurstTooFast",
    "Throttling*",
    "limit_requests",
    "limit_burst_rate",
    // Zhipu and Z.ai: frequency; the model is busy.
    "1303",
    "1305",
    "rpm_rate_limit_exceeded",
    "tpm_rate_limit_exceeded",
    "RATE_LIMIT_*",
    // Cerebras, "Rate Limits": per minute as well as per day.
    "request_quota_exceeded",
    "token_quota_exceeded",
  ],
  concurrent: [
    // Zhipu and Z.ai: concurrency.
    "1302",
    // Hunyuan and others.
    "concurrency_limit_exceeded",
    "LimitExceeded.Concurrency*",
    // Volcengine Ark.
    "InflightBatchsizeExceeded",
  ],
  blocked: [
    // OpenAI; Azure, "Content filtering".
    "content_policy_violation",
    "content_filter",
    "ResponsibleAIPolicyViolation",
    "invalid_prompt",
    "moderation_blocked",
    // Zhipu and Z.ai.
    "1301",
    // Alibaba Cloud Model Studio.
    "data_inspection_failed",
    "DataInspectionFailed",
    "DataInspection",
    // Volcengine Ark.
    "SensitiveContentDetected*",
    "InputTextSensitiveContentDetected*",
    "InputImageSensitiveContentDetected*",
    "OutputTextSensitiveContentDetected*",
    "OutputImageSensitiveContentDetected*",
    "InputTextRiskDetection",
    "InputImageRiskDetection",
    "OutputTextRiskDetection",
    "ContentSecurityDetectionError",
    // StepFun; MiniMax.
    "censorship_blocked",
    "input_sensitive",
    "output_sensitive",
    // one-api and new-api.
    "sensitive_words_detected",
    "prompt_blocked",
    // Google, in the error of a proxy.
    "PROHIBITED_CONTENT",
  ],
  auth: ["invalid_api_key", "InvalidApiKey", "incorrect_api_key_error", "authentication_error"],
};

const EXACT = new Map<string, ErrorKind>();
const PREFIXES: [prefix: string, kind: ErrorKind][] = [];
for (const [kind, codes] of Object.entries(CODES) as [ErrorKind, readonly string[]][]) {
  for (const code of codes) {
    if (code.endsWith("*")) PREFIXES.push([code.slice(0, -1), kind]);
    else EXACT.set(code, kind);
  }
}

/** Messages of services without a code for it; only matched for {@link AMBIGUOUS} statuses. */
const MESSAGES: readonly (readonly [ErrorKind, RegExp])[] = [
  [
    "quota",
    new RegExp(
      [
        "insufficient (account )?(balance|credits?|quota|funds)",
        "balance (is )?(insufficient|not enough|too low|used up)",
        "not enough (balance|credits?)",
        "no credits remaining",
        "requires more credits",
        "used all available credits", // xAI, 403 or 429
        "credit (balance is too low|limit exceeded)", // Anthropic, 400; Together, 402
        "(monthly )?spend(ing)? limit", // Fireworks, 412; Groq, 400
        "(depleted|exceeded) your monthly included credits", // Hugging Face
        "free (tier|quota)( of the model)? has been exhausted|free allocated quota exceeded", // Qwen
        "account is in arrears|overdue (balance|payment)|payment is overdue",
        "user quota is not enough|pre-consumed quota failed",
        "reached your (weekly |monthly |session )?usage limit", // Kimi and Ollama's subscriptions
        "(weekly|monthly) (usage )?limit (reached|exhausted|exceeded)|limit exceeded \\(monthly limit\\)",
        "余额不足|额度不足|欠费|额度已?用[尽完]",
        "limit: 0,", // Gemini: the free tier does not include the model
      ].join("|"),
      "i",
    ),
  ],
  [
    "blocked",
    new RegExp(
      [
        "content exists risk", // DeepSeek
        "content violates usage guidelines", // xAI
        "content management policy|content policy violation", // Azure, also through LiteLLM
        "blocked by content filtering policy", // Anthropic
        "request contains prohibited content",
        "(input|output)( text)? data may contain inappropriate content", // Qwen
        "considered high risk", // Moonshot
        "(input|output) (new_)?sensitive|sensitive words detected", // MiniMax, new-api
        "flagged (for|as) possibl[ey]|flagged as potentially violating",
        "不安全或敏感|含有违规信息",
      ].join("|"),
      "i",
    ),
  ],
  // xAI's Responses API, 400.
  ["auth", /^(incorrect|invalid) api key\b/i],
];

/** Statuses that may mean a used-up quota or blocked content; `200` is an error inside an answer. */
const AMBIGUOUS: ReadonlySet<number> = new Set([200, 400, 402, 403, 412, 422, 429, 451, 500]);

/** Matches messages about too many concurrent requests. */
const CONCURRENCY = /concurren|simultaneous|in[ _-]flight|parallel requests|at the same time|并发/i;

function kindOfCode(code: string | undefined): ErrorKind | undefined {
  if (code === undefined) return undefined;
  return EXACT.get(code) ?? PREFIXES.find(([prefix]) => code.startsWith(prefix))?.[1];
}

/** The fields of an error that determine its kind. */
export interface ErrorFields {
  /** The HTTP status, or the one in the error object. */
  status: number;
  code?: string;
  /** A second code: OpenAI's `type` next to its `code`. */
  type?: string;
  message?: string;
  /** See {@link Service.rateLimitCodes}. */
  rateLimitCodes?: readonly string[];
}

/** The kind of an error; `undefined` if its status is clear enough. */
export function errorKind(fields: ErrorFields): ErrorKind | undefined {
  const { status, code, type, message = "", rateLimitCodes } = fields;
  let kind = kindOfCode(code) ?? kindOfCode(type);
  if (kind === "quota" && rateLimitCodes?.includes(code ?? "")) kind = "rate";
  const isKnown = kind !== undefined && kind !== "rate" && kind !== "auth";
  if (!isKnown && AMBIGUOUS.has(status)) {
    kind = MESSAGES.find(([, pattern]) => pattern.test(message))?.[0] ?? kind;
  }
  if (status === 451 && kind === undefined) return "blocked";
  const isRate = kind === "rate" || (kind === undefined && status === 429);
  return isRate && CONCURRENCY.test(`${code} ${type} ${message}`) ? "concurrent" : kind;
}

/** Matches messages of servers that are still starting. */
const LOADING = new RegExp(
  [
    "loading (the )?model", // llama.cpp, llama-swap, RamaLama, Ollama ("llm server loading model")
    "model .{0,80}\\b(is|being|still|currently)\\b.{0,30}\\bload(ing|ed)\\b", // TGI, Hugging Face, LM Studio
    "server is (still )?(starting|loading|initializing|warming)",
    "(starting|warming) up",
    "model is not ready",
  ].join("|"),
  "i",
);

/** Whether an error means that the server is still loading the model. */
export function isLoading(status: number, message: string | undefined): boolean {
  return (status === 500 || status === 502 || status === 503) && LOADING.test(message ?? "");
}
