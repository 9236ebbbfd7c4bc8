/**
 * `executeSecureTool`: which of two clients a call takes, by the tool's data class. It routes and protects nothing: the
 * gateway judges by its own copy of the table.
 */

// Made from policies/gateway/classes/data.yaml; a test compares the two byte for byte.
import classes from "./classes.json" with { type: "json" };

import { UnclassifiedTool } from "./errors.ts";
import type { JsonObject } from "./parameters.ts";

const LEAST_SENSITIVE = 3;
// A Map, so that `constructor` and `__proto__` are no tools.
const CLASSES: ReadonlyMap<string, number> = new Map(Object.entries(classes));

export interface StandardMcpClient<Result = unknown> {
  executeTool(toolName: string, parameters: JsonObject): Promise<Result>;
}

export interface ZeroTrustClient<Auth = never, Result = unknown> {
  requestAuth(toolName: string, parameters: JsonObject): Promise<Auth>;
  executeWithAuth(auth: Auth, toolName: string, parameters: JsonObject): Promise<Result>;
}

/** 1 (most sensitive) to 5 (public); undefined for a tool nobody classified. */
export function dataClassOf(toolName: string): number | undefined {
  return CLASSES.get(toolName);
}

/**
 * The tool's result. The route and the class go to `log`, the parameters never.
 *
 * @throws UnclassifiedTool before any client is called.
 */
export async function executeSecureTool<Auth, Result>(
  toolName: string,
  parameters: JsonObject,
  standardMcpClient: StandardMcpClient<Result>,
  zeroTrustClient: ZeroTrustClient<Auth, Result>,
  log: (line: string) => void = console.info,
): Promise<Result> {
  const dataClass = dataClassOf(toolName);
  if (dataClass === undefined) {
    throw new UnclassifiedTool(`Unknown tool or classification for: ${toolName}`);
  }
  if (dataClass <= LEAST_SENSITIVE) {
    log(`zero-trust flow for ${toolName} (class ${dataClass})`);
    const auth = await zeroTrustClient.requestAuth(toolName, parameters);
    return zeroTrustClient.executeWithAuth(auth, toolName, parameters);
  }
  log(`standard flow for ${toolName} (class ${dataClass})`);
  return standardMcpClient.executeTool(toolName, parameters);
}
