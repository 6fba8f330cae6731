/** The floor: the least code that sets a stop when a push shows a position without one. No checks, no proof. */
import { RestClientV5, WebsocketClient } from "bybit-api";

const [restUrl, wsUrl, key, secret] = process.argv.slice(2);
const rest = new RestClientV5({ key, secret, baseUrl: restUrl, keepAlive: true }, { timeout: 5_000 });
const quiet = { trace() {}, info() {}, error() {} };
const stream = new WebsocketClient({ key, secret, market: "v5", wsUrl, pongTimeout: 8_000 }, quiet);
const seen = new Set();

stream.on("update", ({ topic, data }) => {
  if (topic !== "position") return;
  for (const row of data) {
    const name = `${row.symbol}/${row.positionIdx}`;
    if (Number(row.size) === 0) seen.delete(name);
    else if (Number(row.stopLoss) === 0 && !seen.has(name)) protect(name, row);
  }
});
stream.on("response", () => void warmUp());
stream.on("exception", () => process.exit(1));
void stream.subscribeV5(["position", "order", "execution"], "linear", true);

/** The first request opens the connection that the writes go over. */
async function warmUp() {
  await rest.getPositionInfo({ category: "linear", settleCoin: "USDT" });
  process.stdout.write("ready\n");
}

function protect(name, { category, symbol, positionIdx, entryPrice, side }) {
  seen.add(name);
  const stopLoss = (Number(entryPrice) * (side === "Buy" ? 0.98 : 1.02)).toFixed(1);
  void rest.setTradingStop({ category, symbol, positionIdx, tpslMode: "Full", stopLoss, slTriggerBy: "MarkPrice" });
}
