// Keys and proofs, by the vectors that the Python client is tested with; each signature is checked with WebCrypto.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";

import {
  ConfigurationRefused,
  HandshakeClient,
  KeySigner,
  ProofKey,
  Prover,
} from "../../../gateway/client/typescript/src/index.ts";
import { canonical, sha256 } from "../../../gateway/client/typescript/src/signing.ts";

interface Vectors {
  parameters: { name: string; text: string; canonical: string; args: string }[];
  tokens: { token: string; ath: string }[];
  keys: { name: string; jwk: JsonWebKey; d: string; thumbprint: string }[];
  urls: { url: string; htu: string }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL("../vectors/proofs.json", import.meta.url), "utf8"));

function part(jws: string, index: number): any {
  return JSON.parse(Buffer.from(jws.split(".")[index]!, "base64url").toString());
}

async function verified(jws: string, jwk: JsonWebKey): Promise<boolean> {
  const ed = jwk.crv === "Ed25519";
  const key = await crypto.subtle.importKey("jwk", jwk, ed ? "Ed25519" : { name: "ECDSA", namedCurve: "P-256" }, false, [
    "verify",
  ]);
  const [header, payload, signature] = jws.split(".") as [string, string, string];
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  const how = ed ? "Ed25519" : { name: "ECDSA", hash: "SHA-256" };
  return crypto.subtle.verify(how, key, Buffer.from(signature, "base64url"), signed);
}

for (const { name, text, canonical: bytes, args } of vectors.parameters) {
  test(`parameters: ${name}`, async () => {
    assert.equal(canonical(JSON.parse(text)), bytes);
    const key = await ProofKey.generate("EdDSA");
    const proof = await new KeySigner(key).proof("paypal", "create_refund", JSON.parse(text), "a");
    assert.equal(part(proof, 1).args, args);
  });
}

for (const { token, ath } of vectors.tokens) {
  test(`token: ${token}`, async () => {
    assert.equal(await sha256(token), ath);
    const key = await ProofKey.generate();
    assert.equal(part(await new Prover(key).proof("POST", "https://g.example/execute", token), 1).ath, ath);
  });
}

for (const { name, jwk, d, thumbprint } of vectors.keys) {
  test(`key: ${name}`, async () => {
    const key = await ProofKey.of({ ...jwk, d, alg: "ignored", key_ops: [], ext: false } as JsonWebKey);
    assert.deepEqual(key.jwk, jwk);
    assert.equal(await key.thumbprint(), thumbprint);
    assert.ok(!inspect(key, { showHidden: true, depth: 9 }).includes(d) && !JSON.stringify(key).includes(d));

    const proof = await new KeySigner(key, "k-1").proof("paypal", "create_refund", { b: 1, a: "é" }, "the-ath");
    assert.deepEqual(part(proof, 0), { alg: key.algorithm, typ: "countersign-parameters+jwt", kid: "k-1" });
    const { jti, iat, args, ...claims } = part(proof, 1);
    assert.deepEqual(claims, { server: "paypal", tool: "create_refund", ath: "the-ath" });
    assert.equal(args, await sha256('{"a":"é","b":1}'));
    assert.ok(Math.abs(iat - Date.now() / 1000) < 60 && Number.isInteger(iat) && jti.length > 30);
    assert.ok(await verified(proof, jwk));
    assert.ok(!(await verified(proof.replace(/\.[^.]*\./, ".e30."), jwk)));

    const prover = new Prover(key);
    const dpop = await prover.proof("POST", "https://g.example/authorize", "token");
    assert.deepEqual(part(dpop, 0), { alg: key.algorithm, typ: "dpop+jwt", jwk });
    assert.ok(!("nonce" in part(dpop, 1)) && (await verified(dpop, jwk)));
    assert.deepEqual([prover.heard("n-1"), prover.heard("n-1"), prover.heard(null), prover.heard("a\nb")], [
      true,
      false,
      false,
      false,
    ]);
    assert.equal(part(await prover.proof("POST", "https://g.example/authorize", "token"), 1).nonce, "n-1");
  });
}

for (const { url, htu } of vectors.urls) {
  test(`url: ${url}`, async () => {
    const key = await ProofKey.generate("EdDSA");
    assert.equal(part(await new Prover(key).proof("POST", url, "token"), 1).htu, htu);
  });
}

test("each proof is another one", async () => {
  const signer = new KeySigner(await ProofKey.generate());
  const [one, two] = await Promise.all([signer.proof("s", "t", {}, "a"), signer.proof("s", "t", {}, "a")]);
  assert.notEqual(part(one, 1).jti, part(two, 1).jti);
});

test("other keys are refused", async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, ["sign", "verify"]);
  await assert.rejects(ProofKey.of(pair), ConfigurationRefused);
  await assert.rejects(ProofKey.of({ kty: "oct", k: "AAAA" }), ConfigurationRefused);
  await assert.rejects(ProofKey.of(vectors.keys[0]!.jwk), ConfigurationRefused);
});

test("a signer signs for a server that is named", async () => {
  const signer = new KeySigner(await ProofKey.generate());
  assert.throws(() => new HandshakeClient("https://g.example", "token", { signer }), ConfigurationRefused);
});
