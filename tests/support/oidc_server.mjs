// The certified server `oidc-provider` on loopback. Argument: the URL of the package's module. Standard input: a line of
// JSON (port, jwks, clients, scopes, resources), then nothing; where it ends, the server ends. Prints a line when it listens.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const { default: Provider, errors } = await import(process.argv[2]);
const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit(0)); // whoever started it is gone
const { port, jwks, clients, scopes, resources } = JSON.parse(
  await new Promise((resolve) => input.once("line", resolve)),
);

const TOOL_CLAIMS = ["tool_id", "tool_version", "tool_provider", "definition_hash"];
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

// What an author's own server has to do: copy the tool's claims, and hold them against the client that asks.
function extraTokenClaims(ctx) {
  const { tool_claims: whole, ...fields } = ctx.oidc.body;
  const asked = whole === undefined ? fields : JSON.parse(whole);
  const claims = Object.fromEntries(TOOL_CLAIMS.filter((name) => name in asked).map((name) => [name, asked[name]]));
  const { tool_provider, subject } = ctx.oidc.client;
  if (Object.keys(claims).length > 0 && claims.tool_provider !== tool_provider) {
    throw new errors.AccessDenied("another provider's tool");
  }
  // A JWT names its client as its subject; what is said of an opaque token names none but this.
  return subject === undefined ? claims : { ...claims, sub: subject };
}

function getResourceServerInfo(ctx, resource) {
  if (!(resource in resources)) throw new errors.InvalidTarget();
  return resources[resource];
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks,
  clients,
  scopes,
  extraTokenClaims,
  extraClientMetadata: { properties: ["tool_provider", "default_resource", "subject"] },
  cookies: { keys: ["no cookie is ever set"] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    // Who may ask about, and end, tokens of others: the clients here are all of one house.
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => client.default_resource,
      getResourceServerInfo,
    },
  },
});
provider.on("server_error", (ctx, error) => console.error(error));

// RFC 8693, which this server has no grant of its own for: its opaque tokens for tokens of another resource.
provider.registerGrantType(
  EXCHANGE,
  async (ctx) => {
    const { subject_token, subject_token_type, resource } = ctx.oidc.params;
    const subject = await provider.ClientCredentials.find(subject_token);
    if (subject_token_type !== ACCESS_TOKEN || !subject?.isValid) throw new errors.InvalidGrant("no subject");
    const token = new provider.ClientCredentials({ client: ctx.oidc.client });
    token.resourceServer = new provider.ResourceServer(resource, getResourceServerInfo(ctx, resource));
    ctx.body = {
      access_token: await token.save(),
      expires_in: token.expiration,
      issued_token_type: ACCESS_TOKEN,
      token_type: token.tokenType,
    };
  },
  ["subject_token", "subject_token_type", "requested_token_type", "resource"],
);

createServer(provider.callback()).listen(port, "127.0.0.1", () => console.log("listening"));
