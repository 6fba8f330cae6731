/** Opens positions one after another on the simulated exchange, and times the stop of each, at the exchange. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startSimulator } from "../../dist/exchange/simulator/index.js";
import { optionsFrom } from "../prepare.mjs";
import { ACCOUNT, startSidecar } from "./sidecar.mjs";

const values = optionsFrom({
  positions: { type: "string", default: "1000" },
  "round-trip": { type: "string", default: "50" },
  lags: { type: "string", default: "0,500,2000" },
  lagged: { type: "string", default: "50" },
  burst: { type: "string", default: "50" },
});
const ROUND_TRIP_MS = Number(values["round-trip"]);
const SYMBOL = "BTCUSDT";
const FLOOR = fileURLToPath(new URL("./floor.mjs", import.meta.url));

console.log(`round trip ${ROUND_TRIP_MS} ms, node ${process.version}; milliseconds from fill to stop at the exchange`);
console.log("| who | lag of the position | positions | p50 | p99 | max |");
console.log("|---|---|---|---|---|---|");
for (const lagMs of values.lags.split(",").map(Number)) {
  const count = Number(lagMs === 0 ? values.positions : values.lagged);
  if (lagMs === 0) await measured("bare script", lagMs, count, startFloor);
  await measured("backstop run", lagMs, count, (simulator) =>
    startSidecar(simulator, { protection: { stopLoss: { distance: "2%" } } }),
  );
}

await burst(Number(values.burst));

/** Many at once wait for the write budget: the riskiest are to go first. */
async function burst(count) {
  const simulator = await startSimulator({
    seed: 7,
    accounts: [ACCOUNT],
    latencyMs: ROUND_TRIP_MS,
    syntheticInstruments: count,
  });
  const { exchange } = simulator;
  const subject = await startSidecar(simulator, { protection: { stopLoss: { distance: "2%" } } });
  const restsAtMs = new Map();
  const all = new Promise((resolve) => {
    exchange.onPush(({ topic, row }) => {
      const rests = topic === "order" && row.stopOrderType === "StopLoss" && row.orderStatus === "Untriggered";
      if (rests && !restsAtMs.has(row.symbol)) restsAtMs.set(row.symbol, performance.now());
      if (restsAtMs.size === count) resolve();
    });
  });
  const symbols = Array.from({ length: count }, (_one, nth) => `SYN${String(nth).padStart(4, "0")}USDT`);
  const startedMs = performance.now();
  for (const [nth, symbol] of symbols.entries()) exchange.open({ symbol, side: "long", size: String(10 * (nth + 1)) });
  const openedMs = performance.now() - startedMs;
  await all;
  const notionals = new Map();
  for (const { symbol, size, entryPrice } of exchange.snapshot().accounts[0].positions) {
    notionals.set(symbol, Number(size) * Number(entryPrice));
  }
  const riskiest = symbols.toSorted((one, other) => notionals.get(other) - notionals.get(one)).slice(0, 10);
  const lastOf = (some) => Math.max(...some.map((symbol) => restsAtMs.get(symbol) - startedMs)).toFixed(0);
  console.log(`\n${count} positions opened within ${openedMs.toFixed(0)} ms, nine writes per second:`);
  console.log(`the ten riskiest protected within ${lastOf(riskiest)} ms, all within ${lastOf(symbols)} ms`);
  await subject.stop();
  await simulator.close();
}

async function measured(who, lagMs, count, start) {
  const simulator = await startSimulator({ seed: 7, accounts: [ACCOUNT], latencyMs: ROUND_TRIP_MS });
  const stops = stopTimes(simulator.exchange);
  const subject = await start(simulator);
  simulator.exchange.setLags({ fillToPositionMs: lagMs });
  const tookMs = [];
  for (let index = 0; index < count; index += 1) {
    const stop = stops.next();
    const startedMs = performance.now();
    simulator.exchange.open({ symbol: SYMBOL, side: index % 2 === 0 ? "long" : "short", size: "0.1" });
    tookMs.push((await stop) - startedMs);
    // Until it is idle again: proof and take-profit follow the stop.
    await pause(3 * ROUND_TRIP_MS);
    simulator.exchange.close({ symbol: SYMBOL });
    await pause(2 * ROUND_TRIP_MS + lagMs);
  }
  await subject.stop();
  await simulator.close();
  const sorted = tookMs.sort((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  console.log(`| ${who} | ${lagMs} ms | ${count} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`);
}

/** When the next stop begins to rest, on this process's own clock. */
function stopTimes(exchange) {
  let waiting = () => undefined;
  exchange.onPush(({ topic, row }) => {
    const rests = topic === "order" && row.stopOrderType === "StopLoss" && row.orderStatus === "Untriggered";
    if (rests) waiting(performance.now());
  });
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no stop within 15 s")), 15_000);
        waiting = (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        };
      }),
  };
}

async function startFloor({ restUrl, wsUrl }) {
  const { key, secret } = ACCOUNT;
  const child = spawn(process.execPath, [FLOOR, restUrl, wsUrl, key, secret], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the bare script ended before it was ready")));
  await Promise.race([once(child.stdout, "data"), ended]);
  return {
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
