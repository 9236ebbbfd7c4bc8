/**
 * Keys and what they prove, over WebCrypto: signed parameters (tier INTERNAL) and DPoP (RFC 9449). ES256 with P-256,
 * EdDSA with Ed25519.
 */

import { ConfigurationRefused } from "./errors.ts";
import type { Json, JsonObject } from "./parameters.ts";

export type Algorithm = "ES256" | "EdDSA";

/** Signs one call. A new proof is asked for with each request, since each counts once. */
export interface ParametersSigner {
  /** A compact JWS `countersign-parameters+jwt`. `ath`: base64url SHA-256 of the session token, which no signer sees. */
  proof(server: string, tool: string, parameters: JsonObject, ath: string): string | Promise<string>;
}

interface Kind {
  readonly algorithm: Algorithm;
  readonly key: EcKeyGenParams & EcKeyImportParams;
  readonly signature: EcdsaParams;
}

const KINDS: readonly Kind[] = [
  { algorithm: "ES256", key: { name: "ECDSA", namedCurve: "P-256" }, signature: { name: "ECDSA", hash: "SHA-256" } },
  // Ed25519 has neither a curve to choose nor a hash; WebCrypto leaves members alone that it does not know.
  { algorithm: "EdDSA", key: { name: "Ed25519", namedCurve: "Ed25519" }, signature: { name: "Ed25519", hash: "" } },
];
const encoder = new TextEncoder();

/** A private key, and its public half as a JWK. Shows nothing of the former. */
export class ProofKey {
  readonly algorithm: Algorithm;
  /** The public key: `kty`, `crv`, `x`, and `y` on P-256. */
  readonly jwk: Readonly<Record<string, string>>;
  readonly #key: CryptoKey;
  readonly #signature: EcdsaParams;

  private constructor(kind: Kind, key: CryptoKey, jwk: Readonly<Record<string, string>>) {
    this.algorithm = kind.algorithm;
    this.jwk = jwk;
    this.#key = key;
    this.#signature = kind.signature;
  }

  /** A key that the browser or Node made and does not give out. */
  static async generate(algorithm: Algorithm = "ES256"): Promise<ProofKey> {
    const kind = KINDS.find((one) => one.algorithm === algorithm) as Kind;
    return ProofKey.of((await crypto.subtle.generateKey(kind.key, false, ["sign", "verify"])) as CryptoKeyPair);
  }

  /** A pair of keys (its public half must be extractable), or a private JWK. */
  static async of(given: CryptoKeyPair | JsonWebKey): Promise<ProofKey> {
    if ("privateKey" in given) {
      const jwk = publicOf(await crypto.subtle.exportKey("jwk", given.publicKey));
      return new ProofKey(kindOf(jwk), given.privateKey, jwk);
    }
    const jwk = publicOf(given);
    const kind = kindOf(jwk);
    if (given.d === undefined) throw new ConfigurationRefused("The JWK holds no private key.");
    const key = await crypto.subtle.importKey("jwk", { ...jwk, d: given.d }, kind.key, false, ["sign"]);
    return new ProofKey(kind, key, jwk);
  }

  /** RFC 7638: what a token is bound to, and what an operator registers. */
  async thumbprint(): Promise<string> {
    return sha256(canonical(this.jwk));
  }

  /** A compact JWS. `keyId`: what the header says in place of the public key. */
  async sign(typ: string, claims: JsonObject, keyId?: string): Promise<string> {
    const named = keyId === undefined ? { jwk: this.jwk } : { kid: keyId };
    const header = { alg: this.algorithm, typ, ...named };
    const signed = `${b64url(encoder.encode(JSON.stringify(header)))}.${b64url(encoder.encode(JSON.stringify(claims)))}`;
    const signature = await crypto.subtle.sign(this.#signature, this.#key, encoder.encode(signed));
    return `${signed}.${b64url(new Uint8Array(signature))}`;
  }
}

/** Signs parameters. `keyId`: the name under which the operator registered the key; else its public half is in the proof. */
export class KeySigner implements ParametersSigner {
  readonly #key: ProofKey;
  readonly #keyId: string | undefined;

  constructor(key: ProofKey, keyId?: string) {
    this.#key = key;
    this.#keyId = keyId;
  }

  async proof(server: string, tool: string, parameters: JsonObject, ath: string): Promise<string> {
    const args = await sha256(canonical(parameters));
    const claims = { jti: crypto.randomUUID(), iat: now(), server, tool, args, ath };
    return this.#key.sign("countersign-parameters+jwt", claims, this.#keyId);
  }
}

/** Proves with each request that whoever sends a token holds its key, and remembers the gateway's nonce. */
export class Prover {
  readonly key: ProofKey;
  #nonce: string | undefined;

  constructor(key: ProofKey) {
    this.key = key;
  }

  /** The `DPoP` header of one request. */
  async proof(method: string, url: string, token: string): Promise<string> {
    const htu = url.replace(/[?#].*$/s, "");
    const claims = { jti: crypto.randomUUID(), htm: method, htu, iat: now(), ath: await sha256(token) };
    return this.key.sign("dpop+jwt", this.#nonce === undefined ? claims : { ...claims, nonce: this.#nonce });
  }

  /** The gateway's `DPoP-Nonce`. True: it is another one than the last proof had. */
  heard(nonce: string | null): boolean {
    if (nonce === null || nonce === this.#nonce || !/^[ -~]{1,512}$/.test(nonce)) return false;
    this.#nonce = nonce;
    return true;
  }
}

/** A token that is bound to a key (RFC 9449 section 6). Shows nothing when it is printed. */
export class BoundToken {
  readonly prover: Prover;
  readonly #token: string;

  constructor(token: string, prover: Prover) {
    this.#token = token;
    this.prover = prover;
  }

  /** The value itself. */
  expose(): string {
    return this.#token;
  }
}

/** RFC 8785: names sorted by UTF-16 units, numbers and strings as ECMAScript writes them. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value as JsonObject).sort(([one], [two]) => (one < two ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}

/** base64url of the SHA-256 of a text. */
export async function sha256(text: string): Promise<string> {
  return b64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}

function b64url(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function publicOf(jwk: JsonWebKey): Readonly<Record<string, string>> {
  const { kty, crv, x, y } = jwk;
  return Object.fromEntries(Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

function kindOf(jwk: Readonly<Record<string, string>>): Kind {
  const kind = KINDS.find((one) => one.key.namedCurve === jwk["crv"]);
  if (kind === undefined) throw new ConfigurationRefused("A proof is signed with a P-256 or an Ed25519 key.");
  return kind;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
