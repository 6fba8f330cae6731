/** `backstop demo`: the whole story on a simulated exchange, told with the real commands over real sockets. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dec } from "../../domain/decimal.js";
import { type AccountOptions, randomAccount, type Simulator, startSimulator } from "../../exchange/simulator/index.js";
import { registerSecret } from "../../runtime/index.js";
import type { Console } from "../console.js";
import { comparison } from "./figures.js";
import { type Credentials, legResults } from "./outcome.js";
import { TRADES } from "./trades.js";

const REPORT = "demo-report.html";
const PROGRAM = fileURLToPath(new URL("../bin.js", import.meta.url));
const BOT = fileURLToPath(new URL("./bot.js", import.meta.url));
/** Far below every liquidation price, so that the twin shows what a crash does to an unwatched book. */
const CRASH_SHARE = dec("0.82");
const CRASH_STEPS = 60;

/** Exit code 0 when every act went as told, 1 otherwise. */
export async function demo(console: Console): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "backstop-demo-"));
  const exchange = await startSimulator({ accounts: [account("main"), account("twin")], seed: 7 });
  for (const { key, secret } of exchange.accounts) [key, secret].forEach(registerSecret);
  try {
    return (await tell({ exchange, folder, console })) ? 0 : 1;
  } finally {
    await exchange.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its key is bound to this machine, as a real one should be. */
function account(name: string): AccountOptions {
  return { ...randomAccount(name), ips: ["127.0.0.1"] };
}

interface Stage {
  readonly exchange: Simulator;
  readonly folder: string;
  readonly console: Console;
}

async function tell(stage: Stage): Promise<boolean> {
  const { console, exchange } = stage;
  const act = (title: string, text: string) => console.out(`\n== ${title}\n   ${text}\n\n`);

  act("1. A bot trades", `It opens ${TRADES.length} positions and keeps every stop-loss in its own memory.`);
  const bots = await Promise.all(exchange.accounts.map(({ name }) => startBot(credentials(exchange, name))));
  act("2. The bot dies", "kill -9. The positions are still open, on two accounts that hold the same.");
  await Promise.all(bots.map(kill));

  const config = await writeConfig(stage);
  act("3. backstop audit", "What does the exchange itself hold? (exit code 2: findings are left)");
  const naked = await backstop(["audit", "--config", config, "--format", "table"]);
  act("4. backstop protect", "Sets what is missing on the account `main`, and proves it by reading back.");
  const done = await backstop(["protect", "--yes", "--config", config, "--format", "table"]);
  const proof = await backstop(["audit", "--config", config, "--format", "html", "--output", REPORT]);

  act("5. The crash", "Every price falls by 18%. Nobody is running: no bot, no backstop. Only the exchange.");
  crash(exchange);
  const [guarded, twin] = await Promise.all([
    legResults(credentials(exchange, "main")),
    legResults(credentials(exchange, "twin")),
  ]);
  console.out(comparison(guarded, twin));
  console.out(`\n  The report of step 4 is in ${REPORT}: open it in a browser.\n`);
  const isAsTold = naked === 2 && done === 0 && proof === 0;
  if (!isAsTold) console.err(`The story went wrong: exit codes ${naked}, ${done}, ${proof} instead of 2, 0, 0.\n`);
  return isAsTold;
}

function credentials({ restUrl, accounts }: Simulator, name: string): Credentials {
  const found = accounts.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`the demo has no account ${name}`);
  return { baseUrl: restUrl, key: found.key, secret: found.secret };
}

async function startBot({ baseUrl, key, secret }: Credentials): Promise<ChildProcess> {
  const env = { ...process.env, DEMO_URL: baseUrl, DEMO_KEY: key, DEMO_SECRET: secret };
  const bot = fork(BOT, { env });
  const opened = await Promise.race([once(bot, "message").then(() => true), once(bot, "exit").then(() => false)]);
  if (!opened) throw new Error("the demo's bot could not open its positions");
  return bot;
}

async function kill(bot: ChildProcess): Promise<void> {
  const gone = once(bot, "exit");
  bot.kill("SIGKILL");
  await gone;
}

async function writeConfig({ exchange, folder }: Stage): Promise<string> {
  const { key, secret } = credentials(exchange, "main");
  const config = {
    accounts: [{ name: "main", environment: "custom", restUrl: exchange.restUrl, wsUrl: exchange.wsUrl, key, secret }],
    protection: { mode: "create-only", stopLoss: { distance: "2%" }, takeProfit: { distance: "3R" } },
  };
  const file = join(folder, "backstop.json");
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Runs the program as its user would, on this terminal. */
async function backstop(args: readonly string[]): Promise<number> {
  const program = spawn(process.execPath, [PROGRAM, ...args], { stdio: "inherit" });
  const [code] = (await once(program, "exit")) as [number | null];
  return code ?? 1;
}

function crash({ exchange }: Simulator): void {
  const positions = exchange.snapshot().accounts.flatMap(({ positions: held }) => held);
  const markBySymbol = new Map(positions.map(({ symbol, markPrice }) => [symbol, markPrice]));
  for (const [symbol, mark] of markBySymbol) {
    exchange.setPrice({ symbol, price: fallen(mark), steps: CRASH_STEPS });
  }
}

function fallen(mark: string): string {
  const decimals = mark.split(".")[1]?.length ?? 0;
  return dec(mark).times(CRASH_SHARE).toFixed(decimals);
}
