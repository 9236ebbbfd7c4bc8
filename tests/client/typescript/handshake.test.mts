// The client against the double of the gateway that the Python tests use. SERVICES: name -> URL, one for each behaviour.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import {
  AuthorizationFailed,
  ConfigurationRefused,
  type Confirmation,
  ConfirmationPending,
  ExecutionFailed,
  HandshakeClient,
  type HandshakeOptions,
  OutcomeUnknown,
  receiptOf,
  ParametersRefused,
} from "../../../gateway/client/typescript/src/index.ts";

const services: Record<string, string> = JSON.parse(process.env["SERVICES"] ?? "{}");
const session = "unsafe-session-token-of-a-test";
const refund = { capture_id: "C-1", amount: { value: "5.00", currency: "EUR" } };
const paid = { content: [{ type: "text", text: "done" }], structuredContent: { id: "R-1" } };

function client(name: string, options: HandshakeOptions = {}): HandshakeClient {
  return new HandshakeClient(services[name]!, session, { pollSeconds: 0.01, ...options });
}

test("both phases, one result", async () => {
  assert.deepEqual(await client("usual").executeWithHandshake("create_refund", refund), paid);
});

test("the class goes with it, a proof with both phases", async () => {
  const signer = { proof: (server: string, tool: string) => `proof-of-${server}-${tool}` };
  const found = client("with a proof", { signer, server: "depot" }).executeWithZeroTrustHandshake("create_refund", refund, 2);
  assert.deepEqual(await found, paid);
});

test("a refused authorisation has the gateway's words", async () => {
  const stranger = new HandshakeClient(services["usual"]!, async () => "another-session");
  await assert.rejects(stranger.executeWithHandshake("create_refund", refund), (error: unknown) => {
    assert.ok(error instanceof AuthorizationFailed);
    assert.equal(error.message, "Authorization failed: Invalid session");
    assert.equal(error.status, 401);
    return true;
  });
});

test("a refusal of the target keeps its result", async () => {
  await assert.rejects(client("target refuses").executeWithHandshake("create_refund", refund), (error: unknown) => {
    assert.ok(error instanceof ExecutionFailed);
    assert.equal(error.message, "Execution failed: no funds");
    assert.deepEqual(error.result, { content: [{ type: "text", text: "no funds" }], isError: true });
    return true;
  });
});

for (const name of ["unknown", "proxy error", "unreadable", "cut off"]) {
  test(`an outcome that nobody knows is no failure: ${name}`, async () => {
    await assert.rejects(client(name).executeWithHandshake("create_refund", refund), (error: unknown) => {
      assert.ok(error instanceof OutcomeUnknown);
      assert.match(error.message, /Do not repeat/);
      return true;
    });
  });
}

test("a limit says when to come again", async () => {
  await assert.rejects(client("limited").executeWithHandshake("create_refund", refund), {
    name: "AuthorizationFailed",
    status: 429,
    retryAfterSeconds: 7,
  });
});

test("a redirect is not followed", async () => {
  await assert.rejects(client("redirect").executeWithHandshake("create_refund", refund), AuthorizationFailed);
});

test("a person confirms", async () => {
  const heard: Confirmation[] = [];
  const onConfirmation = async (one: Confirmation) => {
    heard.push(one);
    await fetch(`${services["asks"]}/decide`, { method: "POST", body: "{}" });
  };
  assert.deepEqual(await client("asks", { onConfirmation }).executeWithHandshake("create_refund", refund), paid);
  assert.equal(heard.length, 1);
  assert.equal(heard[0]?.approveUrl, "https://gateway.example/console/p/1");
});

test("a confirmation that is not waited for is pending", async () => {
  const ways: HandshakeOptions[] = [{}, { onConfirmation: () => false }, { onConfirmation() {}, confirmationSeconds: 0.03 }];
  for (const options of ways) {
    await assert.rejects(client("asks for ever", options).executeWithHandshake("create_refund", refund), (error: unknown) => {
      assert.ok(error instanceof ConfirmationPending);
      assert.equal(error.approveUrl, "https://gateway.example/console/p/1");
      return true;
    });
  }
});

test("an authorisation is good once, and for that call", async () => {
  const one = client("usual");
  const auth = await one.requestAuth("create_refund", refund);
  await assert.rejects(one.executeWithAuth(auth, "create_refund", { ...refund, capture_id: "C-2" }), ParametersRefused);
  assert.deepEqual(await one.executeWithAuth(auth, "create_refund", refund), paid);
  await assert.rejects(one.executeWithAuth(auth, "create_refund", refund), /good once/);
});

test("what is printed shows no token", async () => {
  const one = client("usual");
  const auth = await one.requestAuth("create_refund", refund);
  const printed = inspect([one, auth], { depth: 10, showHidden: true }) + JSON.stringify([one, auth]);
  assert.doesNotMatch(printed, /unsafe-session|[0-9a-f]{64}/);
  await assert.rejects(client("parrot").executeWithHandshake("create_refund", refund), (error: unknown) => {
    assert.doesNotMatch(inspect(error), /unsafe-session|[0-9a-f]{64}/);
    return true;
  });
});

test("plain http to another machine is refused", () => {
  for (const url of ["http://gateway.example", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "ftp://a", "x"]) {
    assert.throws(() => new HandshakeClient(url, session), ConfigurationRefused, url);
  }
  for (const url of ["https://gateway.example/base/", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]) {
    assert.ok(new HandshakeClient(url, session));
  }
});

test("a token that no header can carry is refused", () => {
  for (const token of ["", "a b", "a\nb", "ü"]) {
    assert.throws(() => new HandshakeClient("https://gateway.example", token), ConfigurationRefused);
  }
});

test("parameters are checked before anything is sent", async () => {
  const deep: Record<string, unknown> = {};
  let inner = deep;
  for (let n = 0; n < 100; n++) inner = inner["a"] = {};
  const bad: unknown[] = [
    { a: NaN }, { a: -0 }, { a: 2 ** 53 }, { a: "\ud800" }, { "\ud800": 1 }, { a: undefined }, { a: 1n }, { a: new Date() },
    { a: new Map() }, { a: [, 1] }, { a() {} }, [], null, "x", deep, { a: "x".repeat(1_000_001) },
  ];
  const nobody = new HandshakeClient("https://gateway.invalid", session);
  for (const parameters of bad) {
    await assert.rejects(nobody.executeWithHandshake("create_refund", parameters as never), ParametersRefused);
  }
  for (const tool of ["", "a\nb", "x".repeat(129)]) {
    await assert.rejects(nobody.executeWithHandshake(tool, {}), ParametersRefused);
  }
});

test("a receipt is found in a result and in a refusal", async () => {
  assert.equal(receiptOf({ _meta: { "dev.countersign/receipt": "j.w.s" } }), "j.w.s");
  assert.equal(receiptOf({ receipt: "j.w.s" }), "j.w.s");
  for (const none of [undefined, null, "j.w.s", {}, { _meta: null }, { receipt: 7 }]) assert.equal(receiptOf(none), undefined);
  for (const name of ["refuses with a receipt", "signs in a header"]) {
    await assert.rejects(client(name).executeWithHandshake("create_refund", refund), (error: unknown) => {
      assert.ok(error instanceof ExecutionFailed);
      assert.equal(error.receipt, "j.w.s");
      return true;
    });
  }
});
