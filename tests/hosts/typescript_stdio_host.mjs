// A host on the official TypeScript SDK that starts the bridge: connects, lists, and makes calls in order.
// Reads COMMAND, URL, BRIDGE_ENV and CALLS (JSON) from the environment; prints one JSON document.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const { COMMAND, URL: url, BRIDGE_ENV, CALLS } = process.env;
const client = new Client({ name: "typescript-stdio-host", version: "1" });
const transport = new StdioClientTransport({
  command: COMMAND,
  args: ["connect", url],
  env: JSON.parse(BRIDGE_ENV),
  stderr: "pipe",
});
await client.connect(transport);
const { tools } = await client.listTools();
const results = [];
for (const call of JSON.parse(CALLS)) results.push(await client.callTool(call));
await client.close();
process.stdout.write(JSON.stringify({ tools: tools.map((tool) => tool.name), results }));
