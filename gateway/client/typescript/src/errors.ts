/** What can become of a call, other than its result. Messages are safe to show: no token is in them. */

export interface Details {
  code?: string | undefined;
  status?: number | undefined;
  retryAfterSeconds?: number | undefined;
  receipt?: string | undefined;
}

export class HandshakeError extends Error {
  /** The gateway's own code where it gave one, else `client.*`. */
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The gateway's signed statement of what became of the call, where it gave one (a compact JWS). */
  readonly receipt: string | undefined;

  constructor(message: string, code: string, details: Details = {}) {
    super(message);
    this.name = new.target.name;
    this.code = details.code ?? code;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.receipt = details.receipt;
  }
}

/** The client cannot be built like that, or there is no session token. Nothing was sent. */
export class ConfigurationRefused extends HandshakeError {
  constructor(message: string) {
    super(message, "client.configuration");
  }
}

/** The parameters have no JSON form that every reader reads alike. Nothing was sent. */
export class ParametersRefused extends HandshakeError {
  constructor(message: string) {
    super(message, "client.parameters");
  }
}

/** Nobody gave the tool a data class. Nothing was sent. */
export class UnclassifiedTool extends HandshakeError {
  constructor(message: string) {
    super(message, "client.unclassified_tool");
  }
}

/** The first phase was refused or did not arrive. It executes nothing. */
export class AuthorizationFailed extends HandshakeError {
  constructor(message: string, details: Details = {}) {
    super(message, "client.authorization_failed", details);
  }
}

/** The second phase or the target refused the call: it had no effect. The token is used up. */
export class ExecutionFailed extends HandshakeError {
  /** The target's own words, where it was asked. */
  readonly result: unknown;

  constructor(message: string, details: Details = {}, result?: unknown) {
    super(message, "client.execution_failed", details);
    this.result = result;
  }
}

/** A person has not decided yet; nothing was executed. Make exactly the same call again afterwards. */
export class ConfirmationPending extends HandshakeError {
  readonly approveUrl: string | undefined;
  readonly transactionId: string;

  constructor(message: string, approveUrl: string | undefined, transactionId: string) {
    super(message, "client.confirmation_pending", { status: 202 });
    this.approveUrl = approveUrl;
    this.transactionId = transactionId;
  }
}

/** Nobody can say whether the call had an effect. Do NOT repeat it: look at the target first. */
export class OutcomeUnknown extends HandshakeError {
  readonly transactionId: string;

  constructor(message: string, transactionId: string, details: Details = {}) {
    // The code is ours whatever a proxy on the way says.
    super(message, "client.outcome_unknown", { ...details, code: undefined });
    this.transactionId = transactionId;
  }
}
