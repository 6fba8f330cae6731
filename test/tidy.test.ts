/** Keeps the house in order: who imports whom, where time may pass, how files open, what is installed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  clocksOutOfPlace,
  forbiddenArrows,
  type Lockfile,
  lockfileProblems,
  machinePaths,
  missingOpening,
  noiseInQuietRooms,
  tooLong,
  unfinished,
} from "./tidy/rules.js";
import { filesBelow, root, type SourceFile } from "./tidy/sources.js";

const sources = filesBelow("src", /\.ts$/);
const tests = filesBelow("test", /\.ts$/);
const scripts = filesBelow("scripts", /\.mjs$/);
const texts = [
  ...filesBelow("docs", /\.md$/),
  ...filesBelow("config", /./),
  ...["README.md", "CHANGELOG.md", "package.json", "package-lock.json"].flatMap(oneFile),
];

function oneFile(path: string): SourceFile[] {
  try {
    return [{ path, text: readFileSync(join(root, path), "utf8") }];
  } catch {
    return [];
  }
}

const planted = (path: string, text: string): SourceFile => ({ path, text });
const slash = "/";
const machine = ["", "home", "someone", "x"].join(slash);

interface Rule {
  readonly name: string;
  readonly check: (file: SourceFile) => string[];
  readonly files: readonly SourceFile[];
  /** Each must be found: a rule that cannot fail keeps nothing in order. */
  readonly bad: readonly SourceFile[];
  readonly good: readonly SourceFile[];
}

const RULES: readonly Rule[] = [
  {
    name: "rooms import only rooms upstream of them",
    check: forbiddenArrows,
    files: sources,
    bad: [
      planted("src/domain/a.ts", 'import { b } from "../policy/b.js";'),
      planted("src/plan/a.ts", 'import type { B } from "../apply/b.js";'),
      planted("src/runtime/a.ts", 'import { b } from "../domain/b.js";'),
      planted("src/exchange/simulator/a.ts", 'import { b } from "../port.js";'),
      planted("src/verify/a.ts", 'import { attempt } from "../apply/attempt.js";'),
      planted("src/sidecar/a.ts", 'import type { Reader, Writer } from "../exchange/port.js";'),
      planted("src/assess/a.ts", 'import {\n  b,\n  type C,\n} from "../plan/b.js";'),
      planted("src/domain/a.ts", 'export { b } from "../policy/b.js";'),
      planted("src/domain/a.ts", 'const b = () => import("../policy/b.js");'),
      planted("src/sidecar/a.ts", 'import { connectBybit } from "../exchange/bybit/index.js";'),
      planted("src/pass.ts", 'import { startSimulator } from "./exchange/simulator/index.js";'),
      planted("src/http/a.ts", 'import type { Settings } from "../settings/index.js";'),
      planted("src/service/a.ts", 'import { b } from "../cli/b.js";'),
      planted("src/library/a.ts", 'import { connectBybit } from "../exchange/bybit/index.js";'),
      planted("src/misc/a.ts", ""),
    ],
    good: [
      planted("src/plan/a.ts", 'import type { B } from "../assess/b.js";\nimport { c } from "./c.js";'),
      planted("src/verify/a.ts", 'import { type Attempt, type Other } from "../apply/attempt.js";'),
      planted("src/apply/a.ts", 'import type { Writer } from "../exchange/port.js";'),
      planted("src/cli/a.ts", 'import { connectBybit } from "../exchange/bybit/index.js";'),
    ],
  },
  {
    name: "quiet rooms know neither time nor chance nor the outside",
    check: noiseInQuietRooms,
    files: sources,
    bad: [
      planted("src/plan/a.ts", "const now = Date.now();"),
      planted("src/assess/a.ts", "export async function a() {}"),
      planted("src/domain/a.ts", "const a = Math.random();"),
      planted("src/policy/a.ts", 'import { readFileSync } from "node:fs";'),
      planted("src/report/a.ts", "const a = process.env;"),
      planted("src/verify/a.ts", "setTimeout(a, 1);"),
    ],
    good: [
      planted("src/plan/a.ts", '/** Never awaits, no Date. */ const a = "await Date"; // process.env'),
      planted("src/apply/a.ts", "await a();"),
    ],
  },
  {
    name: "the clock and chance are handed in, not taken",
    check: clocksOutOfPlace,
    files: sources,
    bad: [
      planted("src/apply/a.ts", "const now = Date.now();"),
      planted("src/ledger/a.ts", "const now = new Date();"),
      planted("src/exchange/simulator/world.ts", "setTimeout(a, 1);"),
      planted("src/sidecar/a.ts", "const a = Math.random();"),
    ],
    good: [
      planted("src/runtime/clock.ts", "Date.now();"),
      planted("src/exchange/simulator/server.ts", "setTimeout(a, 1); Date.now();"),
      planted("src/cli/a.ts", "const text = new Date(atMs).toISOString();"),
    ],
  },
  {
    name: "files open with one sentence that says what they are",
    check: missingOpening,
    files: [...sources, ...tests, ...scripts, ...oneFile("vitest.config.ts")],
    bad: [planted("a.ts", "const a = 1;"), planted("a.ts", "/** a noun */"), planted("a.ts", "\n/** Late. */")],
    good: [planted("a.ts", "/** What it is. */\n"), planted("a.ts", "#!/usr/bin/env node\n/**\n * What it is.\n */")],
  },
  {
    name: "files stay short enough to read",
    check: tooLong,
    files: [...sources, ...scripts],
    bad: [planted("a.ts", "a\n".repeat(301))],
    good: [planted("a.ts", "a\n".repeat(300))],
  },
  {
    name: "nothing is left unfinished or hidden from the type checker",
    check: unfinished,
    files: [...sources, ...scripts, ...tests.filter(({ path }) => !path.startsWith("test/tidy"))],
    bad: [
      planted("a.ts", "// TODO: later"),
      planted("a.ts", "// FIXME"),
      planted("a.ts", "// @ts-ignore"),
      planted("a.ts", "const a: any = 1;"),
      planted("a.ts", "const a = b as any;"),
      planted("a.ts", "let a: Map<string, any>;"),
    ],
    good: [planted("a.ts", '// any position\nconst a = "as any"; const b = [].some(any);')],
  },
  {
    name: "no file names a folder of one machine",
    check: machinePaths,
    files: [...sources, ...tests, ...scripts, ...texts],
    bad: [planted("a.ts", `const a = "${machine}";`), planted("a.md", `see ${machine}`)],
    good: [planted("a.md", `https://example.com${machine} and ./some/x`)],
  },
];

describe.each(RULES)("$name", ({ check, files, bad, good }) => {
  test("in every file", () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap(check)).toEqual([]);
  });

  test("and the check finds what is planted, and nothing else", () => {
    expect(bad.filter((file) => check(file).length === 0)).toEqual([]);
    expect(good.flatMap(check)).toEqual([]);
  });
});

describe("what is installed", () => {
  test("runs no script on installing, is bound to no host, knows all platforms, and stays small", () => {
    expect(lockfileProblems(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lockfile)).toEqual([]);
  });

  test("and the check finds what is planted", () => {
    const entries = Array.from({ length: 91 }, (_, index) => [`node_modules/p${index}`, {}] as const);
    const lock: Lockfile = {
      packages: {
        "": {},
        ...Object.fromEntries(entries),
        "node_modules/p0": { hasInstallScript: true },
        "node_modules/p1": { resolved: "https://packages.example.com/p1.tgz" },
        "node_modules/elsewhere": { os: ["darwin"], cpu: ["x64"] },
        "node_modules/tool": { dev: true, hasInstallScript: true, optionalDependencies: { here: "1", there: "1" } },
        "node_modules/here": { dev: true, version: "1" },
        "node_modules/there": { dev: true },
      },
    };
    expect(lockfileProblems(lock)).toEqual([
      "node_modules/p0 runs a script when it is installed",
      "node_modules/p1 is bound to the host it was first loaded from",
      "node_modules/tool may need there on another platform, which is not locked",
      "91 runtime packages; 90 is the most",
    ]);
  });

  test("exact versions are asked for", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const ranges = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d/.test(version),
    );
    expect(ranges).toEqual([]);
  });
});
