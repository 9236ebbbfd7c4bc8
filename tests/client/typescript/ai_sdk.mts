// The AI SDK with a model that calls the tool once and then ends. PACKAGE: where the client is; SERVICES: name -> URL.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as ai from "ai";
import { MockLanguageModelV4 } from "ai/test";

const { HandshakeClient } = await import(`${process.env["PACKAGE"]}/index.ts`);
const { aiTools } = await import(`${process.env["PACKAGE"]}/ai-sdk.ts`);
const services = JSON.parse(process.env["SERVICES"] ?? "{}");
const schema = {
  type: "object",
  properties: { capture_id: { type: "string", pattern: "^C-[0-9]+$" }, amount: { $ref: "#/$defs/money" } },
  required: ["capture_id"],
  additionalProperties: false,
  $defs: { money: { type: "string" } },
};
const definitions = [{ name: "create_refund", description: "Gives money back.", inputSchema: schema }];
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

async function run(name: string) {
  const client = new HandshakeClient(services[name], "unsafe-session-token-of-a-test");
  const tools = aiTools(ai, definitions, (tool: string, parameters: object) =>
    client.executeWithHandshake(tool, parameters),
  );
  const input = JSON.stringify({ capture_id: "C-1" });
  const turns = [
    {
      content: [{ type: "tool-call", toolCallId: "1", toolName: "create_refund", input }],
      finishReason: { unified: "tool-calls", raw: "tool_calls" },
      usage,
      warnings: [],
    },
    {
      content: [{ type: "text", text: "Done." }],
      finishReason: { unified: "stop", raw: "stop" },
      usage,
      warnings: [],
    },
  ];
  const model = new MockLanguageModelV4({ doGenerate: turns as never });
  const found = await ai.generateText({
    model,
    tools,
    prompt: "Refund capture C-1.",
    stopWhen: ai.stepCountIs ? ai.stepCountIs(5) : undefined,
  } as never);
  return { told: model.doGenerateCalls[0]!.tools![0] as any, result: (found.steps[0] as any).toolResults[0]?.output };
}

test("names and schemas stay, and the call takes both phases", async () => {
  const { told, result } = await run("usual");
  assert.equal(told.name, "create_refund");
  assert.equal(told.description, "Gives money back.");
  assert.deepEqual(told.inputSchema, schema);
  assert.deepEqual(result, { content: [{ type: "text", text: "done" }], structuredContent: { id: "R-1" } });
});

test("an outcome that nobody knows is said, and not tried again", async () => {
  const { result } = await run("unknown");
  assert.match(result, /Do not repeat/);
});
