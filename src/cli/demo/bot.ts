/** The demo's bot, a process of its own: opens positions through bybit-api and keeps their exits in its memory. */
import { RestClientV5 } from "bybit-api";
import { HEDGED, TRADES } from "./trades.js";

const { DEMO_URL: baseUrl = "", DEMO_KEY: key = "", DEMO_SECRET: secret = "" } = process.env;
const exchange = new RestClientV5({ key, secret, baseUrl }, { timeout: 5_000 });

async function trade(): Promise<void> {
  for (const symbol of HEDGED) {
    expectDone(await exchange.switchPositionMode({ category: "linear", symbol, mode: 3 }));
  }
  for (const order of TRADES) {
    expectDone(await exchange.submitOrder({ ...order, orderType: "Market" }));
  }
}

function expectDone({ retCode, retMsg }: { retCode: number; retMsg: string }): void {
  if (retCode !== 0) throw new Error(`the simulated exchange refused: ${retMsg}`);
}

await trade();
process.send?.("opened");
// Here a real bot would watch its stops, for as long as it lives.
setInterval(() => undefined, 60_000);
