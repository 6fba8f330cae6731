/** Two hundred positions come and go while the stream drops and requests fail; nothing may be left naked or loosened. */
import { setTimeout as pause } from "node:timers/promises";
import { startSimulator } from "../../dist/exchange/simulator/index.js";
import { optionsFrom } from "../prepare.mjs";
import { ACCOUNT, startSidecar } from "./sidecar.mjs";

const values = optionsFrom({
  minutes: { type: "string", default: "10" },
  positions: { type: "string", default: "200" },
  failing: { type: "string", default: "0.05" },
  "drop-every": { type: "string", default: "20" },
  seed: { type: "string", default: "11" },
});
const POSITIONS = Number(values.positions);
const FAULTS = [
  { kind: "html", status: 502 },
  { kind: "reset" },
  { kind: "empty" },
  { kind: "truncated" },
  { kind: "retCode", retCode: 10016, retMsg: "Server error." },
  { kind: "effectThenReset", path: "/v5/position/trading-stop" },
];

const random = seeded(Number(values.seed));
const simulator = await startSimulator({
  seed: Number(values.seed),
  accounts: [ACCOUNT],
  syntheticInstruments: POSITIONS,
  latencyMs: 20,
});
const { exchange } = simulator;
const symbols = Array.from({ length: POSITIONS }, (_one, nth) => `SYN${String(nth).padStart(4, "0")}USDT`);
const loosened = watchStops();
for (const symbol of symbols.slice(0, POSITIONS / 2)) open(symbol);
const config = { protection: { stopLoss: { distance: "2%" } }, sweep: { cron: "*/10 * * * * *" }, http: { port: 0 } };
const sidecar = await startSidecar(simulator, config);
const { url } = JSON.parse(sidecar.lines.find((line) => line.includes('"listening"')));
for (const symbol of symbols.slice(POSITIONS / 2)) open(symbol);
await pause(30_000);
const failures = failSome(Number(values.failing));
const memory = [];
const endMs = performance.now() + Number(values.minutes) * 60_000;
let drops = 0;
let nextDropMs = performance.now();
while (performance.now() < endMs) {
  if (performance.now() >= nextDropMs) {
    exchange.dropStreams();
    drops += 1;
    nextDropMs += Number(values["drop-every"]) * 1_000;
  }
  happen(symbols[Math.floor(random() * POSITIONS)]);
  if (memory.length < (performance.now() + Number(values.minutes) * 60_000 - endMs) / 10_000)
    memory.push(await residentMb());
  await pause(500);
}
failures.stop();
// One sweep interval of 10 s and two request deadlines after the last fault: by then everything has to be protected.
await pause(30_000);
const naked = exchange.snapshot().accounts[0].positions.filter(({ stopLoss }) => stopLoss === null);
const code = await sidecar.stop();
await simulator.close();
report();

function happen(symbol) {
  const position = exchange.snapshot().accounts[0].positions.find((one) => one.symbol === symbol);
  const dice = random();
  if (position === undefined) return open(symbol);
  if (dice < 0.3) {
    exchange.close({ symbol });
    return open(symbol);
  }
  if (dice < 0.5) return exchange.flip({ symbol });
  if (dice < 0.7) return exchange.open({ symbol, side: position.side, size: "5" });
  if (dice < 0.9 && position.stopLoss !== null) return tighten(position);
  return exchange.pushPosition({ symbol });
}

/** What a trailing bot does: its stop moves toward the mark. */
function tighten({ symbol, stopLoss, markPrice, side }) {
  const middle = (Number(stopLoss) * 3 + Number(markPrice)) / 4;
  const tick = 10 ** -((stopLoss.split(".")[1] ?? "").length || 4);
  const price = side === "long" ? Math.ceil(middle / tick) * tick : Math.floor(middle / tick) * tick;
  const isTighter = side === "long" ? price > Number(stopLoss) : price < Number(stopLoss);
  if (!isTighter) return;
  try {
    exchange.tradingStop({
      symbol,
      tpslMode: "Full",
      positionIdx: 0,
      stopLoss: price.toFixed(6),
      slTriggerBy: "MarkPrice",
    });
  } catch {
    // Refused by the exchange: another try comes.
  }
}

function open(symbol) {
  exchange.open({ symbol, side: random() < 0.5 ? "long" : "short", size: String(10 + Math.floor(random() * 90)) });
}

/** Each life's stop may only move toward the mark. */
function watchStops() {
  const found = [];
  const stops = new Map();
  exchange.onPush(({ topic, row }) => {
    if (topic === "position" && Number(row.size) === 0) stops.delete(row.symbol);
    if (topic !== "order" || row.stopOrderType !== "StopLoss") return;
    if (row.orderStatus !== "Untriggered") return void stops.delete(row.symbol);
    const before = stops.get(row.symbol);
    const price = Number(row.triggerPrice);
    const isLooser = before?.side === row.side && (row.side === "Sell" ? price < before.price : price > before.price);
    if (isLooser) found.push(`${String(row.symbol)}: ${before.price} → ${price}`);
    stops.set(row.symbol, { side: row.side, price });
  });
  return found;
}

function failSome(share) {
  const handle = exchange.handle.bind(exchange);
  let count = 0;
  let total = 0;
  exchange.handle = (request) => {
    total += 1;
    if (random() < share) {
      const fitting = FAULTS.filter(({ path }) => path === undefined || path === request.path);
      exchange.setFault({ ...fitting[Math.floor(random() * fitting.length)], path: request.path, times: 1 });
      count += 1;
    }
    return handle(request);
  };
  return {
    counts: () => ({ count, total }),
    stop: () => {
      exchange.handle = handle;
      exchange.clearFaults();
    },
  };
}

async function residentMb() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^backstop_process_resident_memory_bytes (\d+)/m.exec(text)?.[1] ?? 0) / 2 ** 20;
}

function report() {
  const { count, total } = failures.counts();
  const middle = memory[Math.floor(memory.length / 2)] ?? 0;
  const last = memory.at(-1) ?? 0;
  const growth = middle === 0 ? 0 : ((last - middle) / middle) * 100;
  console.log(`${values.minutes} min, ${POSITIONS} contracts, seed ${values.seed}`);
  console.log(`requests: ${total}, made to fail: ${count}; stream drops: ${drops}`);
  console.log(`naked at the end: ${naked.length}; stops loosened: ${loosened.length}; exit code: ${code}`);
  console.log(
    `resident memory: ${middle.toFixed(0)} MB half way, ${last.toFixed(0)} MB at the end (${growth.toFixed(1)} %)`,
  );
  for (const line of loosened.slice(0, 10)) console.log(`loosened ${line}`);
  for (const { symbol } of naked.slice(0, 10)) console.log(`naked ${symbol}`);
  const isWell = naked.length === 0 && loosened.length === 0 && code === 0 && growth < 10;
  console.log(isWell ? "passed" : "failed");
  process.exitCode = isWell ? 0 : 1;
}

/** mulberry32: the same seed, the same strain. */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
