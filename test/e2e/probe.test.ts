/** `backstop probe` against the simulated exchange: what it finds, what it refuses, and that it leaves nothing behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createHeard } from "../stream/stage.js";
import { type Finished, PROGRAM } from "./cli.js";
import { bodyOf, MAIN, openStage, SECOND, type Stage } from "./stage.js";
import { noTerminal, onTerminal } from "./terminal.js";

interface Found {
  readonly symbol: string;
  readonly results: readonly {
    readonly name: string;
    readonly expected: string;
    readonly seen: string | null;
    readonly verdict: string;
    readonly detail: string;
  }[];
  readonly left: readonly string[];
}

const LONG = { timeout: 60_000 };
const FOREVER = 10_000;
/** Whose smallest order is worth the least. */
const SMALLEST = "MANAUSDT";
const CREATE = "/v5/order/create";

function found({ stdout, stderr }: Finished): Found {
  if (!stdout.startsWith("{")) throw new Error(`no findings on stdout: ${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Found;
}

/** At the loudest log level: what is printed is sent to us by its user. */
async function probe(stage: Stage, ...args: readonly string[]): Promise<Finished> {
  const finished = await stage.backstop(["probe", "--yes", "--log-level", "trace", ...args]);
  for (const hidden of [MAIN.key, MAIN.secret]) expect(finished.stdout + finished.stderr).not.toContain(hidden);
  return finished;
}

function verdictsIn({ results }: Found): Readonly<Record<string, string>> {
  return Object.fromEntries(results.map(({ name, verdict }) => [name, verdict]));
}

/** What the exchange itself holds, before anybody is told. */
function leftAt({ exchange }: Stage): readonly unknown[] {
  return exchange.snapshot().accounts.flatMap(({ positions, orders }) => [...positions, ...orders]);
}

function changeAccount({ config }: Stage, change: object): void {
  const document = JSON.parse(readFileSync(config, "utf8")) as { accounts: readonly object[] };
  const accounts = document.accounts.map((account) => ({ ...account, ...change }));
  writeFileSync(config, JSON.stringify({ ...document, accounts }));
}

describe("the probe", { concurrent: true }, () => {
  test("settles every question as the documents say, is 0, and leaves nothing behind", LONG, async (context) => {
    const stage = await openStage(context);
    const finished = await probe(stage);
    const { results, left, symbol } = found(finished);
    expect(results.filter(({ verdict }) => verdict !== "as-expected")).toEqual([]);
    expect(results.length).toBeGreaterThan(15);
    expect(symbol).toBe(SMALLEST);
    expect({ code: finished.code, left }).toEqual({ code: 0, left: [] });
    expect(leftAt(stage)).toEqual([]);
    expect(stage.posts().filter((post) => bodyOf(post)["symbol"] !== symbol)).toEqual([]);
  });

  test("leaves positions and orders that were there alone, and works in another contract", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.open({ symbol: SMALLEST, side: "long", size: "50", stopLoss: "0.3" });
    stage.exchange.placeOrder({ symbol: "DOGEUSDT", side: "Buy", orderType: "Limit", qty: "100", price: "0.1" });
    const before = leftAt(stage);
    const { symbol } = found(await probe(stage));
    expect([SMALLEST, "DOGEUSDT"]).not.toContain(symbol);
    expect(leftAt(stage)).toEqual(before);
  });

  test("tells a different answer, with both, and is 2", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.mutateRow((row, { kind }) =>
      kind === "order" && row["stopOrderType"] === "StopLoss" ? { ...row, triggerBy: "MarkPrice" } : row,
    );
    const finished = await probe(stage);
    const verdicts = verdictsIn(found(finished));
    expect(Object.keys(verdicts).filter((name) => verdicts[name] === "differs")).toEqual(["default-trigger"]);
    expect(found(finished).results).toContainEqual(
      expect.objectContaining({ name: "default-trigger", expected: "LastPrice", seen: "MarkPrice" }),
    );
    expect(finished.code).toBe(2);
    expect(leftAt(stage)).toEqual([]);
  });

  test("says what could not be settled and why, and is 3", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.setAccount({ marginMode: "PORTFOLIO_MARGIN", positionMode: "hedge" });
    const finished = await probe(stage);
    const { results } = found(finished);
    const open = results.filter(({ verdict }) => verdict === "unsettled");
    expect(open.map(({ name }) => name)).toEqual(["beyond-liquidation", "flip"]);
    expect(open.map(({ detail }) => detail)).toEqual([
      expect.stringContaining("isolated margin"),
      expect.stringContaining("hedge mode"),
    ]);
    expect(results.filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect(finished.code).toBe(3);
    expect(leftAt(stage)).toEqual([]);
  });

  test("with a key without Position learns that it is not enough", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.setAccount({ permissions: { ContractTrade: ["Order"] } });
    const finished = await probe(stage);
    expect(found(finished).results[0]).toMatchObject({
      name: "rights",
      seen: "refused with 10005",
      detail: "key: ContractTrade Order",
      verdict: "as-expected",
    });
    expect(finished.code).toBe(3);
    expect(leftAt(stage)).toEqual([]);
  });
});

describe("what goes wrong in the middle", { concurrent: true }, () => {
  test("an order that took effect without an answer is found and closed", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "effectThenReset", path: CREATE, times: 3 });
    const finished = await probe(stage);
    expect(found(finished).results[0]).toMatchObject({ name: "rights", verdict: "unsettled", seen: null });
    expect(finished.code).toBe(3);
    expect(leftAt(stage)).toEqual([]);
  });

  test("reads and stops that fail settle nothing and leave nothing", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "html", path: "/v5/position/trading-stop", status: 502, times: 4, after: 1 });
    stage.exchange.setFault({ kind: "empty", path: "/v5/order/realtime", times: 6, after: 20 });
    stage.exchange.setFault({ kind: "ackButIgnore", path: CREATE, times: 1, after: 9 });
    const finished = await probe(stage);
    expect(Object.values(verdictsIn(found(finished)))).toContain("unsettled");
    expect(finished.code).toBe(3);
    expect(leftAt(stage)).toEqual([]);
  });

  test("what cannot be closed is told, nothing more is asked, and it is 1", LONG, async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "retCode", retCode: 110017, path: CREATE, times: FOREVER, after: 1 });
    const finished = await probe(stage);
    const { left, results, symbol } = found(finished);
    expect(left).toEqual([
      expect.stringMatching(new RegExp(`^${symbol}: a long position of `)) as string,
      expect.any(String),
    ]);
    expect(finished.stderr).toContain(`LEFT BEHIND: ${symbol}: a long position`);
    expect(results.slice(1).every(({ verdict }) => verdict === "unsettled")).toBe(true);
    expect(finished.code).toBe(1);
  });

  test.for(["SIGINT", "SIGTERM"] as const)(
    "%s ends the questions and closes what is open",
    LONG,
    async (signal, context) => {
      const stage = await openStage(context);
      const fills = createHeard<object>();
      stage.exchange.onPush(({ topic, row }) => {
        if (topic === "execution") fills.add(row);
      });
      const program = spawn(process.execPath, [PROGRAM, "probe", "--yes"], { cwd: stage.folder, env: stage.env });
      let [stdout, stderr] = ["", ""];
      program.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      program.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      const closed = once(program, "close") as Promise<[number | null]>;
      await fills.next(() => true);
      program.kill(signal);
      const [code] = await closed;
      expect(code).toBe(3);
      expect(stderr).toContain("Closing what was opened");
      expect(found({ code, stdout, stderr }).results.at(-1)).toMatchObject({ verdict: "unsettled" });
      expect(leftAt(stage)).toEqual([]);
    },
  );
});

describe("what somebody else does in the contract meanwhile", { concurrent: true }, () => {
  test("before the first question: nothing is sent, and all of it stays", LONG, async (context) => {
    const stage = await openStage(context);
    const { handle } = stage.exchange;
    // The last thing that is read before the questions, when the person has agreed already.
    stage.exchange.handle = (request) => {
      if (request.path === "/v5/account/info") stage.exchange.open({ symbol: SMALLEST, side: "long", size: "50" });
      return handle(request);
    };
    const finished = await probe(stage);
    const { results } = found(finished);
    expect(new Set(results.map(({ detail }) => detail))).toEqual(
      new Set([`not asked: something else is in the contract now, ${SMALLEST}: a long position of 50`]),
    );
    expect({ code: finished.code, posts: stage.posts() }).toEqual({ code: 3, posts: [] });
  });

  test(
    "in the middle of one: no more than the probe can have opened is closed, and the rest is told",
    LONG,
    async (context) => {
      const stage = await openStage(context);
      let isOpened = false;
      stage.exchange.onPush(({ topic }) => {
        if (topic !== "execution" || isOpened) return;
        isOpened = true;
        stage.exchange.open({ symbol: SMALLEST, side: "long", size: "5000" });
      });
      const finished = await probe(stage);
      const [position] = stage.exchange.snapshot().accounts.flatMap(({ positions }) => positions);
      // Three orders of the smallest size are what it may hold.
      expect(Number(position?.size)).toBeGreaterThan(4_900);
      expect(found(finished).left).toContainEqual(expect.stringContaining(`${SMALLEST}: a long position of 49`));
      expect(finished.code).toBe(1);
    },
  );
});

interface Refused {
  readonly what: string;
  readonly args?: readonly string[];
  readonly prepare?: (stage: Stage) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly says: RegExp;
}

const REFUSED: readonly Refused[] = [
  {
    what: "an account of the real exchange",
    prepare: (stage) => {
      const references = { key: "${K}", secret: "${S}", restUrl: undefined, wsUrl: undefined };
      changeAccount(stage, { environment: "mainnet", ...references });
    },
    env: { K: MAIN.key, S: MAIN.secret },
    says: /only goes to Bybit's demo and testnet.* this account is for mainnet/,
  },
  {
    what: "any other address that calls itself custom",
    prepare: (stage) => changeAccount(stage, { restUrl: "https://api.bybit.com" }),
    says: /this account is for https:\/\/api\.bybit\.com/,
  },
  {
    what: "an account of the demo exchange that is sent elsewhere",
    prepare: (stage) => {
      const elsewhere = { restUrl: "https://api.bybit.com", wsUrl: undefined };
      changeAccount(stage, { environment: "demo", key: "${K}", secret: "${S}", ...elsewhere });
    },
    env: { K: MAIN.key, S: MAIN.secret },
    says: /accounts\[0\]\.restUrl.*does not go with environment demo/,
  },
  {
    what: "an address that only begins like this machine's",
    prepare: (stage) => changeAccount(stage, { restUrl: "http://127.0.0.1.example.com:8080" }),
    says: /this account is for http:\/\/127\.0\.0\.1\.example\.com/,
  },
  { what: "a run without a terminal and without --yes", args: [], says: /asks before it does.*--yes/ },
  {
    what: "a contract with a position",
    args: ["--yes", "--symbol", "MANAUSDT"],
    prepare: ({ exchange }) => exchange.open({ symbol: "MANAUSDT", side: "long", size: "50" }),
    says: /--symbol MANAUSDT: it has a position or an open order/,
  },
  {
    what: "a contract whose smallest order is large",
    args: ["--yes", "--symbol", "BTCUSDT"],
    says: /--symbol BTCUSDT: 3 of its smallest orders are worth \d+\.\d\d USDT; allowed: at most 100 USDT/,
  },
  { what: "a contract that is none", args: ["--yes", "--symbol", "NOSUCHUSDT"], says: /there is no such contract/ },
  { what: "a symbol that is none", args: ["--yes", "--symbol", "BTC*"], says: /--symbol.*such as BTCUSDT/ },
  {
    what: "a key that may only read",
    prepare: ({ exchange }) => exchange.setAccount({ readOnly: true }),
    says: /the key may only read, and the probe opens positions/,
  },
  {
    what: "a key that can withdraw",
    prepare: ({ exchange }) =>
      exchange.setAccount({ permissions: { ContractTrade: ["Order", "Position"], Wallet: ["Withdraw"] } }),
    says: /the key has the right Withdraw/,
  },
  { what: "to write while nothing may be written", env: { BACKSTOP_READONLY: "1" }, says: /BACKSTOP_READONLY is set/ },
];

describe("the probe refuses with 64, and nothing is sent:", { concurrent: true }, () => {
  test.for(REFUSED)("$what", async ({ args = ["--yes"], prepare, env = {}, says }, context) => {
    const stage = await openStage(context);
    prepare?.(stage);
    const before = leftAt(stage);
    const { code, stdout, stderr } = await stage.backstop(["probe", ...args], env);
    expect({ code, stdout, posts: stage.posts() }).toEqual({ code: 64, stdout: "", posts: [] });
    expect(stderr).toMatch(says);
    expect(leftAt(stage)).toEqual(before);
  });

  test("two accounts at once", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    const { code, stderr } = await probe(stage);
    expect(code).toBe(64);
    expect(stderr).toContain("--account with one of main, second");
    expect(stage.exchange.requests).toEqual([]);
  });

  test(`what the person at the terminal does not agree to${noTerminal ?? ""}`, async (context) => {
    context.skip(noTerminal !== null, noTerminal ?? "");
    const stage = await openStage(context);
    const { code, text } = await onTerminal(["probe"], { cwd: stage.folder, env: stage.env, answer: "n\n" });
    expect(text).toContain("Nothing was sent.");
    expect({ code, posts: stage.posts() }).toEqual({ code: 0, posts: [] });
  });
});
