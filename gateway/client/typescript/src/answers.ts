/**
 * Status and body of the two phases: what they mean. Where an answer could hide that money has moved, it is *unknown*.
 */

import { AuthorizationFailed, type Details, ExecutionFailed, OutcomeUnknown } from "./errors.ts";

const MAX_SAID_CHARS = 600;
const MAX_URL_CHARS = 2_000;
const RECEIPT_KEY = "dev.countersign/receipt";
const MAX_RECEIPT_CHARS = 64 * 1024;
const VISIBLE = /^[!-~]+$/;
export const DO_NOT_REPEAT =
  "The call was sent and its outcome is unknown. Do not repeat it: find out first what became of it.";

/** One HTTP answer. `text` is undefined where it is too long or broke off. */
export interface Reply {
  readonly status: number;
  readonly text: string | undefined;
  readonly retryAfter: string | null;
  /** The header of a refusal in the guide's words, whose body has no place for it. */
  readonly receipt: string | null;
}

export interface Authorized {
  readonly transactionId: string;
  readonly token: string;
}

export interface Waiting extends Authorized {
  readonly kind: "waiting";
  readonly person: boolean;
  readonly approveUrl: string | undefined;
  readonly expiresInSeconds: number;
}

export interface Done {
  readonly kind: "done";
  readonly result: unknown;
}

type Document = Readonly<Record<string, unknown>>;

export function authorized(reply: Reply): Authorized {
  const document = documentOf(reply);
  if (reply.status !== 200) {
    throw new AuthorizationFailed(`Authorization failed: ${said(reply, document)}`, details(reply, document));
  }
  const token = tokenOf(document);
  const transactionId = document["transactionId"];
  if (token === undefined || typeof transactionId !== "string") {
    throw new AuthorizationFailed("Authorization failed: the answer holds no token.", { status: reply.status });
  }
  return { transactionId: shown(transactionId, 128), token };
}

export function executed(reply: Reply, transactionId: string): Done | Waiting {
  const document = documentOf(reply);
  if (reply.status === 200) {
    if (Object.keys(document).length === 0) {
      throw unknown(transactionId, 200, "The call was carried out, and its answer cannot be read. Do not repeat it.");
    }
    return { kind: "done", result: document };
  }
  if (reply.status === 202) {
    return waiting(document, transactionId);
  }
  // A 503 of the gateway's own says that nothing was sent; one of a proxy on the way says nothing about that.
  if (reply.status >= 500 && !(reply.status === 503 && "callId" in document)) {
    throw unknown(transactionId, reply.status, DO_NOT_REPEAT, details(reply, document).receipt);
  }
  const ofTarget = reply.status === 400 && !("error" in document) && Object.keys(document).length > 0;
  throw new ExecutionFailed(
    `Execution failed: ${said(reply, document)}`,
    details(reply, document),
    ofTarget ? document : undefined,
  );
}

export function unknown(
  transactionId: string,
  status?: number,
  text: string = DO_NOT_REPEAT,
  receipt?: string,
): OutcomeUnknown {
  const words = `Outcome unknown: ${text} Transaction ${transactionId}.`;
  return new OutcomeUnknown(words, transactionId, { status, receipt });
}

/** The receipt in a result (`_meta`) or in a refusal. Whether it is true, `countersign receipt verify` says. */
export function receiptOf(answer: unknown): string | undefined {
  const members = (typeof answer === "object" && answer !== null ? answer : {}) as Document;
  const meta = members["_meta"] as Document | null | undefined;
  const found = members["receipt"] ?? meta?.[RECEIPT_KEY];
  return typeof found === "string" && found.length <= MAX_RECEIPT_CHARS ? found : undefined;
}

function waiting(document: Document, transactionId: string): Waiting {
  const token = tokenOf(document);
  const status = document["status"];
  if (token === undefined || (status !== "confirmation_required" && status !== "handshake_required")) {
    const why =
      status === "input_required"
        ? "the target asks something that can be answered over MCP only"
        : "the call waits for something that this client does not know";
    throw new ExecutionFailed(`Execution failed: ${why}.`, { status: 202, code: "client.not_answerable" });
  }
  const transaction = document["transactionId"];
  const expires = document["expiresInSeconds"];
  return {
    kind: "waiting",
    token,
    transactionId: typeof transaction === "string" ? shown(transaction, 128) : transactionId,
    person: status === "confirmation_required",
    approveUrl: urlOf(document["approveUrl"]),
    expiresInSeconds: typeof expires === "number" && Number.isFinite(expires) ? expires : 0,
  };
}

function documentOf(reply: Reply): Document {
  try {
    const found: unknown = JSON.parse(reply.text ?? "");
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Document) : {};
  } catch {
    return {};
  }
}

function tokenOf(document: Document): string | undefined {
  const token = document["ephemeralToken"];
  // Attack: a token with a line break becomes a header of its own.
  return typeof token === "string" && token.length <= 4096 && VISIBLE.test(token) ? token : undefined;
}

function urlOf(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MAX_URL_CHARS || !VISIBLE.test(value)) {
    return undefined;
  }
  return /^https?:\/\//.test(value) ? value : undefined;
}

function details(reply: Reply, document: Document): Details {
  const code = document["code"];
  const after = reply.retryAfter;
  return {
    code: typeof code === "string" && code !== "" ? shown(code, 128) : undefined,
    status: reply.status,
    receipt: receiptOf(document) ?? receiptOf({ receipt: reply.receipt }),
    retryAfterSeconds: after !== null && /^[0-9]+$/.test(after) ? Number(after) : undefined,
  };
}

/** The gateway's word; where there is none, the target's, or the status. */
function said(reply: Reply, document: Document): string {
  const error = document["error"];
  if (typeof error === "string" && error !== "") {
    return shown(error, MAX_SAID_CHARS);
  }
  const content = document["content"];
  const texts = Array.isArray(content)
    ? content.map((one: unknown) => (one as { text?: unknown } | null)?.text).filter((one) => typeof one === "string")
    : [];
  return shown(texts.join(" "), MAX_SAID_CHARS) || `HTTP ${reply.status}`;
}

/** Text from elsewhere, without characters that move a cursor or cannot be seen. */
function shown(text: string, limit: number): string {
  return [...text.slice(0, limit)].map((char) => (/[\p{C}\p{Zl}\p{Zp}]/u.test(char) ? "?" : char)).join("");
}
