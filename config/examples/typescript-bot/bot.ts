/** A bot with the sidecar inside: its order leaves with its exits, and a tighter stop is proven before it goes on. */
import { RestClientV5 } from "bybit-api";
import { type Config, type IntentPlace, startSidecar } from "bybit-backstop";

const SYMBOL = "BTCUSDT";
const PLACE: IntentPlace = { account: "main", category: "linear", symbol: SYMBOL, positionIdx: 0 };

const { BYBIT_API_KEY: key = "", BYBIT_API_SECRET: secret = "", BYBIT_REST_URL, BYBIT_WS_URL } = process.env;
/** Given for the simulated exchange only; else Bybit's demo environment. */
const simulated =
  BYBIT_REST_URL === undefined || BYBIT_WS_URL === undefined ? null : { restUrl: BYBIT_REST_URL, wsUrl: BYBIT_WS_URL };

/** The same keys as the config file. */
const config: Config = {
  accounts: [{ name: "main", environment: simulated === null ? "demo" : "custom", ...simulated, key, secret }],
  protection: { stopLoss: { distance: "2%" }, takeProfit: { distance: "2R" } },
};

const exchange = new RestClientV5({
  key,
  secret,
  ...(simulated === null ? { demoTrading: true } : { baseUrl: simulated.restUrl }),
});

const sidecar = await startSidecar({
  config,
  log: { level: "warn", write: (line) => process.stderr.write(line) },
  onEvent: ({ kind, data }) => {
    if (kind === "finding") console.error(`${String(data["symbol"])}: ${String(data["message"])}`);
  },
});
// A guard that is gone must not go unnoticed: whatever starts this program starts it anew.
sidecar.done.catch((error: unknown) => {
  console.error(error);
  process.exitCode = 75;
});

try {
  const exits = await sidecar.quote({ ...PLACE, side: "long" });
  // Without a quote the order goes out bare, and the sidecar sets its exits when it fills.
  const ordered = await exchange.submitOrder({
    category: "linear",
    symbol: SYMBOL,
    side: "Buy",
    orderType: "Market",
    qty: "0.1",
    positionIdx: 0,
    ...(exits.kind === "quoted" ? exits.fields : {}),
  });
  if (ordered.retCode !== 0) throw new Error(`the order was refused: ${ordered.retMsg}`);

  const [opened] = (await sidecar.sweep()).positions.filter(({ symbol }) => symbol === SYMBOL);
  const entry = Number(opened?.entryPrice);
  const answer = await sidecar.setIntent(PLACE, { side: "long", stopLoss: (entry * 0.985).toFixed(8), who: "bot" });
  if (answer.status === "refused") throw new Error(answer.message);

  const [position] = (await sidecar.sweep()).positions.filter(({ symbol }) => symbol === SYMBOL);
  console.log(
    JSON.stringify({
      quoted: exits.kind === "quoted" ? exits.fields.stopLoss : exits.message,
      intent: answer.status,
      status: position?.status,
      stopLoss: position?.stopLoss?.price,
      takeProfit: position?.takeProfit?.price,
    }),
  );
} finally {
  // A real bot goes on here. What rests at the exchange stays there.
  await sidecar.close();
}
