// A host on the official TypeScript SDK: connects, lists, reads, and repeats a call that wants two phases.
// Reads URL, TOKEN and CALLS (JSON: [{name, arguments}, ...]) from the environment; prints one JSON document. With
// ELICIT (JSON: what its user answers to every form) it declares that it can be asked.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const { URL: url, TOKEN, CALLS, ELICIT } = process.env;
const capabilities = ELICIT ? { elicitation: {} } : {};
const client = new Client({ name: "typescript-host", version: "1" }, { capabilities });
const asked = [];
if (ELICIT) {
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    asked.push(params.message);
    return JSON.parse(ELICIT);
  });
}
const transport = new StreamableHTTPClientTransport(new globalThis.URL(url), {
  requestInit: { headers: { authorization: `Bearer ${TOKEN}` } },
});
await client.connect(transport);
const { tools } = await client.listTools();
const results = [];
for (const call of JSON.parse(CALLS)) results.push(await client.callTool(call));
const printed = {
  protocol: transport.protocolVersion,
  server: client.getServerVersion(),
  tools: tools.map((tool) => tool.name),
  results,
  asked,
};
await client.close();
process.stdout.write(JSON.stringify(printed));
