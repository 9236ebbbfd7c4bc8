/** The public names. */
export { dataClassOf, executeSecureTool } from "./secure-tool.ts";
export type { StandardMcpClient, ZeroTrustClient } from "./secure-tool.ts";
export { receiptOf } from "./answers.ts";
export { Authorization, HandshakeClient } from "./handshake.ts";
export type { Confirmation, HandshakeOptions, SessionTokenSource } from "./handshake.ts";
export {
  AuthorizationFailed,
  ConfigurationRefused,
  ConfirmationPending,
  ExecutionFailed,
  HandshakeError,
  OutcomeUnknown,
  ParametersRefused,
  UnclassifiedTool,
} from "./errors.ts";
export { BoundToken, KeySigner, ProofKey, Prover } from "./signing.ts";
export type { Algorithm, ParametersSigner } from "./signing.ts";
export type { Json, JsonObject } from "./parameters.ts";
