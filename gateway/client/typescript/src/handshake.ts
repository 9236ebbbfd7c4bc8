/** The two posts of the handshake, over `fetch`. The ephemeral token lives in the running call alone. */

import { type Authorized, authorized, executed, type Reply, unknown } from "./answers.ts";
import {
  AuthorizationFailed,
  ConfigurationRefused,
  ConfirmationPending,
  ExecutionFailed,
  ParametersRefused,
} from "./errors.ts";
import { checkedTool, type JsonObject, serialised } from "./parameters.ts";
import { BoundToken, type ParametersSigner, type Prover, sha256 } from "./signing.ts";

/** Text, a token with the key that it is bound to, or a function that gives one and is called for each transaction. */
export type SessionTokenSource = string | BoundToken | (() => string | BoundToken | Promise<string | BoundToken>);

/** What a person has to decide, and where. */
export interface Confirmation {
  readonly tool: string;
  readonly transactionId: string;
  readonly approveUrl: string | undefined;
  readonly expiresInSeconds: number;
}

export interface HandshakeOptions {
  /** Which server behind the gateway; the first one where it is left out. */
  readonly server?: string;
  /** Seconds for one request until its answer counts as lost; of an execution it then is an unknown outcome. */
  readonly timeoutSeconds?: number;
  /** How long a call waits for a person, at most. */
  readonly confirmationSeconds?: number;
  /** Between two looks at a confirmation; at most 20. */
  readonly pollSeconds?: number;
  /** Told once for each call that a person has to confirm. `false`, or no callback: do not wait. */
  readonly onConfirmation?: (one: Confirmation) => boolean | void | Promise<boolean | void>;
  /** Signs the parameters of each request (`KeySigner`, or any object with its method `proof`); needs `server`. */
  readonly signer?: ParametersSigner;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const OLD_MS = 25_000;
const SESSION = /^[!-~]+$/;

interface Call {
  readonly session: string;
  readonly prover: Prover | undefined;
  readonly tool: string;
  readonly parameters: string;
  readonly dataClass: number | undefined;
}

/** What the first phase brought; good for one execution of exactly that call. Shows nothing when it is printed. */
export class Authorization {
  readonly transactionId: string;
  readonly #call: Call;
  readonly #at: number;
  #token: string | undefined;

  constructor(call: Call, found: Authorized, at: number) {
    this.transactionId = found.transactionId;
    this.#call = call;
    this.#token = found.token;
    this.#at = at;
  }

  /** The call and its token, once. */
  take(tool: string, parameters: string): { call: Call; token: string; at: number } {
    if (tool !== this.#call.tool || parameters !== this.#call.parameters) {
      throw new ParametersRefused("This is not the call that was authorised; authorise it first.");
    }
    const token = this.#token;
    this.#token = undefined;
    if (token === undefined) {
      throw new ExecutionFailed("Execution failed: this authorisation was used before; it is good once.", {
        code: "client.used_up",
      });
    }
    return { call: this.#call, token, at: this.#at };
  }
}

export class HandshakeClient {
  readonly #url: string;
  readonly #source: SessionTokenSource;
  readonly #options: HandshakeOptions;
  readonly #poll: number;
  readonly #patience: number;
  readonly #timeout: number;

  constructor(url: string, sessionToken: SessionTokenSource, options: HandshakeOptions = {}) {
    this.#url = serviceUrl(url);
    if (typeof sessionToken !== "function") usable(sessionToken);
    if (options.signer && options.server === undefined) {
      // The gateway's first server may be another one tomorrow, and a signature is for one server.
      throw new ConfigurationRefused("server: a signer needs the name of the server that it signs for.");
    }
    this.#source = sessionToken;
    this.#options = options;
    this.#poll = seconds("pollSeconds", options.pollSeconds ?? 2, 20);
    this.#patience = seconds("confirmationSeconds", options.confirmationSeconds ?? 300, 86_400);
    this.#timeout = seconds("timeoutSeconds", options.timeoutSeconds ?? 100, 86_400);
  }

  /** Both phases. The error's class says whether anything had an effect. */
  async executeWithHandshake(tool: string, parameters: JsonObject): Promise<unknown> {
    return this.executeWithZeroTrustHandshake(tool, parameters);
  }

  /** The same; the data class goes with it as `metadata`, and the gateway decides by its own. */
  async executeWithZeroTrustHandshake(tool: string, parameters: JsonObject, dataClass?: number): Promise<unknown> {
    const auth = await this.requestAuth(tool, parameters, dataClass);
    return this.executeWithAuth(auth, tool, parameters);
  }

  /** The first phase. It executes nothing. */
  async requestAuth(tool: string, parameters: JsonObject, dataClass?: number): Promise<Authorization> {
    const name = checkedTool(tool);
    const sent = serialised(parameters);
    const { session, prover } = usable(typeof this.#source === "function" ? await this.#source() : this.#source);
    return this.#authorize({ session, prover, tool: name, parameters: sent, dataClass });
  }

  /** The second phase, once; waits for a person where one has to confirm. */
  async executeWithAuth(auth: Authorization, tool: string, parameters: JsonObject): Promise<unknown> {
    let { call, token, at } = auth.take(tool, serialised(parameters));
    let transactionId = auth.transactionId;
    let deadline: number | undefined;
    for (;;) {
      if (deadline !== undefined && Date.now() - at > OLD_MS) {
        // Whoever was asked took his time; the confirmation is bound to the call, not to this token.
        ({ call, token, at } = (await this.#authorize(call)).take(call.tool, call.parameters));
      }
      const answer = executed(await this.#execute(call, token, transactionId), transactionId);
      if (answer.kind === "done") {
        return answer.result;
      }
      ({ token, transactionId } = answer);
      at = Date.now();
      const pending = new ConfirmationPending(
        `Confirmation pending: a person has to confirm this call${answer.approveUrl ? ` at ${answer.approveUrl}` : ""}. ` +
          "Nothing was executed. Afterwards make exactly the same call again.",
        answer.approveUrl,
        transactionId,
      );
      if (deadline === undefined) {
        deadline = at + this.#patience * 1000;
        if (answer.person) {
          deadline = at + Math.min(this.#patience, answer.expiresInSeconds || this.#patience) * 1000;
          const { approveUrl, expiresInSeconds } = answer;
          const ask = this.#options.onConfirmation;
          if (!ask || (await ask({ tool: call.tool, transactionId, approveUrl, expiresInSeconds })) === false) {
            throw pending;
          }
        }
      }
      if (Date.now() + this.#poll * 1000 > deadline) {
        throw pending;
      }
      await new Promise((resolve) => setTimeout(resolve, this.#poll * 1000));
    }
  }

  async #authorize(call: Call): Promise<Authorization> {
    let reply: Reply;
    try {
      reply = await this.#post(call, "/authorize", await this.#body(call), {});
    } catch (problem) {
      if (!(problem instanceof NotAnswered)) throw problem;
      throw new AuthorizationFailed(
        "Authorization failed: no answer from the gateway; nothing was executed.",
        { code: "client.unreachable" },
      );
    }
    return new Authorization(call, authorized(without(reply, call.session)), Date.now());
  }

  async #execute(call: Call, token: string, transactionId: string): Promise<Reply> {
    const body = await this.#body(call, token);
    try {
      return without(await this.#post(call, "/execute", body, { "x-ephemeral-token": token }), call.session, token);
    } catch (problem) {
      // `fetch` does not say whether anything had left, so this is never a certain failure.
      if (problem instanceof NotAnswered) throw unknown(transactionId);
      throw problem;
    }
  }

  async #body(call: Call, token?: string): Promise<string> {
    const { server, signer } = this.#options;
    const members = [`"sessionToken":${JSON.stringify(call.session)}`];
    if (token !== undefined) members.push(`"ephemeralToken":${JSON.stringify(token)}`);
    // The text that was checked, in both phases: what is authorised is what is executed.
    members.push(`"tool":${JSON.stringify(call.tool)}`, `"parameters":${call.parameters}`);
    if (token === undefined && call.dataClass !== undefined) {
      members.push(`"metadata":${JSON.stringify({ dataClass: call.dataClass })}`);
    }
    if (server !== undefined) members.push(`"server":${JSON.stringify(server)}`);
    if (signer && server !== undefined) {
      const parameters = JSON.parse(call.parameters) as JsonObject;
      const made = await signer.proof(server, call.tool, parameters, await sha256(call.session));
      members.push(`"proof":${JSON.stringify(made)}`);
    }
    return `{${members.join(",")}}`;
  }

  async #post(call: Call, path: string, body: string, headers: Record<string, string>): Promise<Reply> {
    const { prover, session } = call;
    if (!prover) return replyOf(await this.#sent(path, body, headers));
    const url = this.#url + path;
    const response = await this.#sent(path, body, { ...headers, dpop: await prover.proof("POST", url, session) });
    // The gateway wants another nonce (RFC 9449 section 9). It has looked at nothing else, so that sending the request
    // once more cannot do anything twice.
    const wanted = response.status === 401 && /\berror="use_dpop_nonce"/.test(response.headers.get("www-authenticate") ?? "");
    if (!wanted || !prover.heard(response.headers.get("dpop-nonce"))) return replyOf(response);
    await response.body?.cancel();
    return replyOf(await this.#sent(path, body, { ...headers, dpop: await prover.proof("POST", url, session) }));
  }

  async #sent(path: string, body: string, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        method: "POST",
        // A redirect would carry the tokens to another place.
        redirect: "manual",
        headers: { accept: "application/json", "content-type": "application/json", ...headers },
        body,
        signal: AbortSignal.timeout(this.#timeout * 1000),
      });
    } catch {
      throw new NotAnswered();
    }
  }
}

class NotAnswered extends Error {}

async function replyOf(response: Response): Promise<Reply> {
  const { status, headers } = response;
  const receipt = headers.get("countersign-receipt");
  return { status, retryAfter: headers.get("retry-after"), receipt, text: await textOf(response) };
}

/** The body, or undefined where it is too long; one that breaks off is no answer. */
async function textOf(response: Response): Promise<string | undefined> {
  if (!response.body) return "";
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) return undefined;
      text += decoder.decode(chunk, { stream: true });
    }
  } catch {
    throw new NotAnswered();
  }
  return text + decoder.decode();
}

/** A refusal that repeats what it was sent ends up in logs; so it holds no token when it is read. */
function without(reply: Reply, ...secrets: string[]): Reply {
  if (reply.status < 300 || reply.text === undefined) return reply;
  return { ...reply, text: secrets.reduce((text, one) => text.replaceAll(one, "<secret>"), reply.text) };
}

function usable(given: unknown): { session: string; prover: Prover | undefined } {
  const prover = given instanceof BoundToken ? given.prover : undefined;
  const session: unknown = given instanceof BoundToken ? given.expose() : given;
  if (typeof session !== "string" || !SESSION.test(session)) {
    throw new ConfigurationRefused("sessionToken: the source gave no token (visible ASCII, no spaces).");
  }
  return { session, prover };
}

/** https, or http on this machine's loopback: elsewhere the session token would be read on the way. */
function serviceUrl(url: string): string {
  let found: URL;
  try {
    found = new URL(url);
  } catch {
    throw new ConfigurationRefused("The service URL is no usable URL.");
  }
  if (found.username || found.password || found.hash || found.search) {
    throw new ConfigurationRefused("The service URL is a scheme, a host and a path, and nothing more.");
  }
  const loopback = found.hostname === "localhost" || found.hostname === "[::1]" || /^127(\.\d+){3}$/.test(found.hostname);
  if (found.protocol !== "https:" && !(found.protocol === "http:" && loopback)) {
    throw new ConfigurationRefused("The service URL is not https.");
  }
  return found.href.replace(/\/+$/, "");
}

function seconds(name: string, value: number, most: number): number {
  if (!(value > 0 && value <= most)) {
    throw new ConfigurationRefused(`${name}: more than 0 seconds and at most ${most}.`);
  }
  return value;
}
