// Which way a call takes, by the vectors that the Python client is tested with.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { dataClassOf, executeSecureTool, UnclassifiedTool } from "../../../gateway/client/typescript/src/index.ts";

interface Vector {
  tool: string;
  class: number | null;
  route: "zero-trust" | "standard" | "refused";
}

const vectors: Vector[] = JSON.parse(readFileSync(new URL("../vectors/routing.json", import.meta.url), "utf8"));
const secret = { card: "4111-1111" };

assert.ok(vectors.length > 30);
for (const { tool, class: dataClass, route } of vectors) {
  test(`${JSON.stringify(tool)} is ${route}`, async () => {
    const calls: unknown[] = [];
    const logged: string[] = [];
    const standard = {
      executeTool: async (name: string, parameters: object) => {
        calls.push(["executeTool", name, parameters]);
        return "standard";
      },
    };
    const zeroTrust = {
      requestAuth: async (name: string, parameters: object) => {
        calls.push(["requestAuth", name, parameters]);
        return "auth";
      },
      executeWithAuth: async (auth: string, name: string, parameters: object) => {
        calls.push(["executeWithAuth", auth, name, parameters]);
        return "zero-trust";
      },
    };
    const run = () => executeSecureTool(tool, secret, standard, zeroTrust, (line) => logged.push(line));
    assert.equal(dataClassOf(tool) ?? null, dataClass);
    if (route === "refused") {
      await assert.rejects(run, (error: unknown) => {
        assert.ok(error instanceof UnclassifiedTool);
        assert.equal(error.message, `Unknown tool or classification for: ${tool}`);
        return true;
      });
      assert.deepEqual([calls, logged], [[], []]);
      return;
    }
    assert.equal(await run(), route);
    const expected =
      route === "standard"
        ? [["executeTool", tool, secret]]
        : [
            ["requestAuth", tool, secret],
            ["executeWithAuth", "auth", tool, secret],
          ];
    assert.deepEqual(calls, expected);
    assert.deepEqual(logged, [`${route} flow for ${tool} (class ${dataClass})`]);
  });
}
