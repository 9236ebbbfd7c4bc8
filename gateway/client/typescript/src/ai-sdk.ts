/**
 * Tools for Vercel's AI SDK. The SDK is handed in, and nothing is imported of it:
 *
 *     import * as ai from "ai";
 *     const tools = aiTools(ai, definitions, (name, parameters) => client.executeWithHandshake(name, parameters));
 */

import { HandshakeError } from "./errors.ts";
import type { JsonObject } from "./parameters.ts";

/** A definition as MCP lists it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
}

/** What is used of the SDK. */
export interface AiSdk<Schema, Tool> {
  jsonSchema(schema: never): Schema;
  tool(definition: never): Tool;
}

/**
 * One tool for each definition, by its name; the input schema stays what it is.
 *
 * A failure is the tool's answer and no exception: a loop that runs a tool again after an unknown outcome pays twice.
 */
export function aiTools<Schema, Tool>(
  sdk: AiSdk<Schema, Tool>,
  definitions: Iterable<ToolDefinition>,
  call: (toolName: string, parameters: JsonObject) => Promise<unknown>,
): Record<string, Tool> {
  const made = new Map<string, Tool>();
  for (const { name, description, inputSchema } of definitions) {
    if (made.has(name)) {
      throw new Error(`Two tools have the same name: ${name}`);
    }
    const execute = async (parameters: JsonObject): Promise<unknown> => {
      try {
        return await call(name, parameters);
      } catch (problem) {
        if (problem instanceof HandshakeError) return problem.message;
        throw problem;
      }
    };
    const schema = sdk.jsonSchema(structuredClone(inputSchema) as never);
    made.set(name, sdk.tool({ description: description ?? "", inputSchema: schema, execute } as never));
  }
  return Object.fromEntries(made);
}
