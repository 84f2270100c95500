// The official TypeScript client of MCP against the gateway: lists the tools, calls some, prints one
// line of JSON. Arguments: the gateway's address, an API key, an account.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, key, account] = process.argv.slice(2);
const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
  requestInit: { headers: { "X-API-Key": key } },
});
const client = new Client({ name: "tests", version: "1.0.0" });
await client.connect(transport);

const { tools } = await client.listTools();
const call = async (name, args) => {
  const result = await client.callTool({ name, arguments: args });
  const text = result.content.map((part) => part.text).join("");
  return result.isError ? { error: text } : JSON.parse(text);
};
const report = {
  version: transport.protocolVersion,
  tools: tools.map((tool) => ({ name: tool.name, annotations: tool.annotations })),
  balances: await call("get_balances", { account_id: account }),
  positions: await call("list_positions", { account_id: account }),
  quotes: await call("get_quotes", { instruments: [{ symbol: "SPY" }], analyze: false }),
  metrics: await call("get_market_metrics", { symbols: ["SPY"], analyze: false }),
  refused: await call("get_balances", { account_id: "5WT99999" }),
};
await client.close();
console.log(JSON.stringify(report));
