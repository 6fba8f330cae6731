/** Everything that must keep the program from writing: audit, dry runs, modes, the read-only switch, keys. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Report } from "../../src/report/index.js";
import { reportIn } from "./cli.js";
import type { Rewrite } from "./mirror.js";
import { codesOf, MAIN, openBook, openStage, PROTECTION } from "./stage.js";

function stepsOf(report: Report): readonly { readonly outcome: string; readonly detail?: string }[] {
  return report.positions.flatMap(({ steps }) => steps);
}

const TRANSFER = { ContractTrade: ["Order", "Position"], Wallet: ["AccountTransfer"] };
const WITHDRAW = { ContractTrade: ["Order", "Position"], Wallet: ["AccountTransfer", "Withdraw"] };

describe.concurrent("nothing is written", () => {
  test("by audit, whatever it finds; it shows what protect would do", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const report = reportIn(await stage.backstop(["audit"]));
    expect(stepsOf(report).map(({ outcome }) => outcome)).toEqual(["planned", "planned"]);
    expect(stage.posts()).toEqual([]);
  });

  test("by protect --dry-run, also with --yes; the steps are planned", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const finished = await stage.backstop(["protect", "--dry-run", "--yes"]);
    expect(finished.code).toBe(2);
    expect(stepsOf(reportIn(finished)).map(({ outcome }) => outcome)).toEqual(["planned", "planned"]);
    expect(stage.posts()).toEqual([]);
  });

  test("in mode report-only, which plans nothing either and still finds what is missing", async (context) => {
    const stage = await openStage(context, { config: { protection: { ...PROTECTION, mode: "report-only" } } });
    openBook(stage);
    const finished = await stage.backstop(["protect"]);
    expect(finished.code).toBe(2);
    expect(reportIn(finished).summary).toMatchObject({ unprotected: 2, steps: 0 });
    expect(stage.posts()).toEqual([]);
  });

  test("with BACKSTOP_READONLY=1: each step is skipped and says why", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const finished = await stage.backstop(["protect"], { BACKSTOP_READONLY: "1" });
    const steps = stepsOf(reportIn(finished));
    expect(finished.code).toBe(2);
    expect(steps.map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
    expect(steps[0]?.detail).toContain("BACKSTOP_READONLY");
    expect(stage.posts()).toEqual([]);
  });

  test("while a file READONLY lies beside the ledger", async (context) => {
    const stage = await openStage(context, { config: { ledger: { url: "file:books/backstop.db" } } });
    openBook(stage);
    await mkdir(join(stage.folder, "books"));
    await writeFile(join(stage.folder, "books", "READONLY"), "");
    const steps = stepsOf(reportIn(await stage.backstop(["protect"])));
    expect(steps.map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
    expect(steps[0]?.detail).toContain(join("books", "READONLY"));
    expect(stage.posts()).toEqual([]);
  });

  test("with a key that may only read: the report says so instead of collecting refusals", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.setAccount({ readOnly: true });
    const finished = await stage.backstop(["protect"]);
    const report = reportIn(finished);
    expect(finished.code).toBe(2);
    expect(report.accounts.flatMap(codesOf)).toEqual(["key-read-only"]);
    expect(stepsOf(report).map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ["skipped", expect.stringContaining("the key may only read")],
      ["skipped", expect.stringContaining("the key may only read")],
    ]);
    expect(stage.posts()).toEqual([]);
  });

  test("on a copy-trading master, whose exits would close its followers", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.setAccount({ isMasterTrader: true });
    const report = reportIn(await stage.backstop(["protect"]));
    expect(report.accounts.flatMap(codesOf)).toEqual(["copy-trading-master"]);
    expect(stepsOf(report).map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
    expect(stage.posts()).toEqual([]);
  });
});

describe.concurrent("a key that can do too much", () => {
  test.for([
    ["withdraw", WITHDRAW, "Withdraw", []],
    ["withdraw, although its name is allowed", WITHDRAW, "Withdraw", ["AccountTransfer"]],
    ["transfer", TRANSFER, "AccountTransfer", []],
  ] as const)(
    "(%s) makes protect and run refuse with 64 before anything is written",
    async ([, rights, named, allowed], context) => {
      const stage = await openStage(context);
      openBook(stage);
      stage.exchange.setAccount({ permissions: mutable(rights) });
      await allow(stage.config, allowed);
      for (const command of [["protect"], ["run"], ["run", "--dry-run"]]) {
        const { code, stdout, stderr } = await stage.backstop(command);
        expect({ code, stdout, posts: stage.posts() }).toEqual({ code: 64, stdout: "", posts: [] });
        expect(stderr).toContain("account main");
        expect(stderr).toContain(named);
      }
    },
  );

  test("(transfer) is accepted when the right is named in allowPermissions", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.setAccount({ permissions: TRANSFER });
    await allow(stage.config, ["AccountTransfer"]);
    expect((await stage.backstop(["protect"])).code).toBe(0);
    expect(stage.posts()).toHaveLength(2);
  });

  test("(withdraw, transfer) is judged by audit all the same, with a warning each", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setAccount({ permissions: WITHDRAW });
    const finished = await stage.backstop(["audit"]);
    expect(finished.code).toBe(2);
    expect(reportIn(finished).accounts.flatMap(codesOf).sort()).toEqual(["key-can-transfer", "key-can-withdraw"]);
  });

  test("cannot be allowed to withdraw: the config is refused", async (context) => {
    const stage = await openStage(context);
    await allow(stage.config, ["Withdraw"]);
    const { code, stderr } = await stage.backstop(["audit"]);
    expect(code).toBe(64);
    expect(stderr).toContain("allowPermissions");
  });
});

describe.concurrent("a key with a weakness", () => {
  test("(bound to no address) is a warning", async (context) => {
    const stage = await openStage(context, { accounts: [{ ...MAIN, ips: [] }] });
    const finished = await stage.backstop(["audit"]);
    expect(finished.code).toBe(2);
    expect(reportIn(finished).accounts.flatMap(codesOf)).toEqual(["key-without-ip"]);
  });

  test.for([
    ["that expires in ten days is a warning", 10, 2, ["key-expiring", "key-without-ip"]],
    ["that expires in a month is none", 31, 2, ["key-without-ip"]],
  ] as const)("%s", async ([, days, code, codes], context) => {
    const expiredAt = new Date(Date.now() + days * 86_400_000).toISOString();
    const stage = await openStage(context, { accounts: [{ ...MAIN, ips: [] }], rewrite: keyThat({ expiredAt }) });
    const finished = await stage.backstop(["audit"]);
    expect(finished.code).toBe(code);
    expect(reportIn(finished).accounts.flatMap(codesOf).sort()).toEqual(codes);
  });
});

describe.concurrent("a clock that is wrong", () => {
  test.for([
    ["3 s ahead", -3_000, "ahead"],
    ["an hour ahead", -3_600_000, "ahead"],
    ["an hour behind", 3_600_000, "behind"],
  ] as const)(
    "(%s) is found, and the account is judged and guarded all the same",
    async ([, offsetMs, word], context) => {
      const stage = await openStage(context, { now: () => Date.now() + offsetMs });
      openBook(stage);
      const finished = await stage.backstop(["protect"]);
      const report = reportIn(finished);
      expect(finished.code).toBe(2);
      expect(report.accounts.flatMap(codesOf)).toEqual(["clock-skew"]);
      expect(report.accounts[0]?.findings[0]?.message).toContain(word);
      expect(report.summary).toMatchObject({ protected: 3, confirmed: 2 });
    },
  );

  test("(half a second ahead) is none worth telling", async (context) => {
    const stage = await openStage(context, { now: () => Date.now() - 500 });
    openBook(stage);
    expect((await stage.backstop(["protect"])).code).toBe(0);
  });
});

function mutable(rights: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(rights).map(([group, names]) => [group, [...names]]));
}

async function allow(config: string, names: readonly string[]): Promise<void> {
  const parsed = JSON.parse(await readFile(config, "utf8")) as { accounts: object[] };
  const accounts = parsed.accounts.map((account) => ({ ...account, allowPermissions: names }));
  await writeFile(config, JSON.stringify({ ...parsed, accounts }));
}

function keyThat(facts: object): Rewrite {
  return ({ path }, body) => {
    if (path !== "/v5/user/query-api") return { body };
    const answer = JSON.parse(body) as { result: object };
    return { body: JSON.stringify({ ...answer, result: { ...answer.result, ...facts } }) };
  };
}
