/** A planted bug: a position is called protected whatever stands at the exchange. */
const facts = { category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: "long", stopLoss: "1234.5" };
const msg = "a stop for the whole position rests at the exchange";

setTimeout(() => process.stderr.write(`${JSON.stringify({ level: "info", ...facts, msg })}\n`), 100).unref();
