/** Keeps the house in order: who imports whom, where time may pass, how files open, what is installed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  clocksOutOfPlace,
  forbiddenArrows,
  type Lockfile,
  lockfileProblems,
  looseInstalls,
  machinePaths,
  missingOpening,
  movableActions,
  noiseInQuietRooms,
  probeOutOfItsRoom,
  tooLong,
  unfinished,
} from "./tidy/rules.js";
import { filesBelow, root, type SourceFile } from "./tidy/sources.js";

const sources = filesBelow("src", /\.ts$/);
const tests = filesBelow("test", /\.ts$/);
const scripts = filesBelow("scripts", /\.mjs$/);
const workflows = filesBelow(".github/workflows", /\.yml$/);
const texts = [
  ...filesBelow("docs", /\.md$/),
  ...filesBelow("config", /./),
  ...filesBelow(".github", /\.yml$/),
  ...["README.md", "SECURITY.md", "CHANGELOG.md", "package.json", "package-lock.json"].flatMap(oneFile),
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
    name: "what opens positions is reached by the probe and by nothing else",
    check: probeOutOfItsRoom,
    files: sources,
    bad: [
      planted("src/cli/protect.ts", 'import { openWire } from "./probe/wire.js";'),
      planted("src/cli/run/run.ts", 'import type { Bench } from "../probe/bench.js";'),
      planted("src/index.ts", 'export { probe } from "./cli/probe.js";'),
      planted("src/cli/run/run.ts", 'const probe = () => import("../probe.js");'),
      planted("src/cli/connect.ts", 'import { createClient } from "../exchange/bybit/client.js";'),
      planted("src/cli/probe/bench.ts", 'import { createTransport } from "../../exchange/bybit/transport.js";'),
    ],
    good: [
      planted("src/cli/main.ts", 'const probe = () => import("./probe.js");'),
      planted("src/cli/probe.ts", 'import { openWire } from "./probe/wire.js";'),
      planted("src/cli/probe/wire.ts", 'import { createClient } from "../../exchange/bybit/client.js";'),
      planted("src/exchange/bybit/lists.ts", 'import { createClient } from "./client.js";'),
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
  {
    name: "workflows run actions of one commit",
    check: movableActions,
    files: workflows,
    bad: [
      planted("a.yml", "      - uses: actions/checkout@v5"),
      planted("a.yml", "        uses: actions/checkout@main # v5.0.0"),
      planted("a.yml", `      - uses: actions/checkout@${"0a".repeat(20)}`),
    ],
    good: [planted("a.yml", `      - uses: actions/checkout@${"0a".repeat(20)} # v5.0.0\n`)],
  },
  {
    name: "workflows install what is locked and nothing else",
    check: looseInstalls,
    files: workflows,
    bad: [planted("a.yml", "      - run: npm install"), planted("a.yml", "      - run: npm i left-pad")],
    good: [planted("a.yml", "      - run: npm ci\n      - run: npm install --global npm@11.6.2")],
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
    const sound = { integrity: "sha512-x", license: "MIT" };
    const entries = Array.from({ length: 91 }, (_, index) => [`node_modules/p${index}`, sound] as const);
    const lock: Lockfile = {
      packages: {
        "": {},
        ...Object.fromEntries(entries),
        "node_modules/p0": { ...sound, hasInstallScript: true },
        "node_modules/p1": { ...sound, resolved: "https://packages.example.com/p1.tgz" },
        "node_modules/p2": { license: "MIT" },
        "node_modules/p3": { ...sound, integrity: "sha1-x" },
        "node_modules/p4": { ...sound, link: true },
        "node_modules/p5": { ...sound, license: "GPL-3.0-only" },
        "node_modules/p6": { integrity: sound.integrity },
        "node_modules/elsewhere": { ...sound, os: ["darwin"], cpu: ["x64"] },
        "node_modules/tool": {
          ...sound,
          license: "MPL-2.0",
          dev: true,
          hasInstallScript: true,
          optionalDependencies: { here: "1", there: "1" },
        },
        "node_modules/here": { ...sound, dev: true, version: "1" },
        "node_modules/there": { ...sound, dev: true },
      },
    };
    expect(lockfileProblems(lock)).toEqual([
      "node_modules/p0 runs a script when it is installed",
      "node_modules/p1 is bound to the host it was first loaded from",
      "node_modules/p2 is not tied to its content by a checksum",
      "node_modules/p3 is not tied to its content by a checksum",
      "node_modules/p4 is not tied to its content by a checksum",
      "node_modules/p5 has the licence GPL-3.0-only",
      "node_modules/p6 has the licence none",
      "node_modules/tool may need there on another platform, which is not locked",
      "91 runtime packages; 90 is the most",
    ]);
  });

  test("nothing runs on installing, and versions are kept exact", () => {
    const settings = readFileSync(join(root, ".npmrc"), "utf8").split("\n");
    expect(settings).toEqual(expect.arrayContaining(["ignore-scripts=true", "save-exact=true"]));
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
