/** What runs beside the keys, as it lies on the disk, and how a release comes about: as SECURITY.md promises it. */
import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { Lockfile } from "./tidy/rules.js";
import { root } from "./tidy/sources.js";

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

interface Manifest {
  readonly version?: string;
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lockfile & {
  packages: Readonly<Record<string, Manifest & { dev?: boolean }>>;
};

describe("the lockfile", () => {
  test("was made from this package.json", () => {
    const { dependencies, devDependencies } = manifestIn(root);
    expect(lock.packages[""]).toMatchObject({ dependencies, devDependencies });
  });
});

/** Packages with native code; it runs with every right of the process. */
const NATIVE = /^node_modules\/@libsql\/[a-z0-9-]+$/;

/** A package as it lies on the disk, against what is locked. Without scripts node-gyp would still run for a binding.gyp. */
function installedProblems(folder: string, path: string, locked: Manifest): string[] {
  const at = join(folder, path);
  const { version, license, scripts = {} } = manifestIn(at);
  const installs = Object.keys(scripts).filter((name) => /^(?:pre|post)?install$/.test(name));
  const files = readdirSync(at, { recursive: true }).map(String);
  const own = files.filter((name) => !/(?:^|[/\\])node_modules[/\\]/.test(name));
  return [
    ...installs.map((name) => `${path} has the script ${name}`),
    ...(own.includes("binding.gyp") ? [`${path} is compiled when it is installed`] : []),
    ...(NATIVE.test(path) ? [] : own.filter((name) => name.endsWith(".node")).map((name) => `${path} has ${name}`)),
    ...(version === locked.version ? [] : [`${path} is ${version}, locked is ${locked.version}`]),
    ...(license === locked.license ? [] : [`${path} says ${license}, the lockfile ${locked.license}`]),
  ];
}

describe("what is installed to run", () => {
  const runtime = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);

  test("is what is locked, runs nothing on installing, and only the ledger's database has native code", () => {
    const here = runtime.filter(([path]) => existsSync(join(root, path)));
    expect(here.length).toBeGreaterThan(60);
    expect(here.flatMap(([path, locked]) => installedProblems(root, path, locked))).toEqual([]);
  });

  test("and the check finds what is planted", () => {
    const folder = mkdtempSync(join(tmpdir(), "backstop-supply-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join("node_modules", "p");
    mkdirSync(join(folder, path, "build"), { recursive: true });
    const manifest = { version: "2.0.0", license: "UNLICENSED", scripts: { postinstall: "node x.js", test: "x" } };
    writeFileSync(join(folder, path, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(folder, path, "binding.gyp"), "");
    writeFileSync(join(folder, path, "build", "p.node"), "");
    expect(installedProblems(folder, path, { version: "1.0.0", license: "MIT" })).toEqual([
      `${path} has the script postinstall`,
      `${path} is compiled when it is installed`,
      `${path} has ${join("build", "p.node")}`,
      `${path} is 2.0.0, locked is 1.0.0`,
      `${path} says UNLICENSED, the lockfile MIT`,
    ]);
  });
});

interface Job {
  readonly needs?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly run?: string; readonly uses?: string; readonly with?: object }[];
}

interface Workflow {
  readonly on: object;
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** In this order: what is published is what was tested, and nothing else can publish. */
const STEPS: readonly (readonly [job: string, run: RegExp])[] = [
  ["pack", /^test "v\$\(.*\.version'\)" = "\$GITHUB_REF_NAME"$/],
  ["pack", /^grep -qF "## \[\$\{GITHUB_REF_NAME#v\}\]" CHANGELOG\.md$/],
  ["pack", /^npm ci$/],
  ["pack", /^npm audit signatures$/],
  ["pack", /^npm audit --omit=dev --audit-level=moderate$/],
  ["pack", /^\.ci\/run$/],
  ["pack", /npm pack/],
  ["pack", /^npm sbom --omit=dev --package-lock-only --sbom-format=cyclonedx > release\//],
  ["pack", /sha256sum .*> SHA256SUMS/],
  ["publish", /sha256sum --check SHA256SUMS/],
  ["publish", /^npm publish \.\/release\/\S+\.tgz --provenance .*--ignore-scripts$/],
  ["announce", /^gh release create .*release\/\*/],
];

function releaseProblems(text: string): string[] {
  const { on, permissions, jobs } = parse(text) as Workflow;
  const runs = Object.entries(jobs).flatMap(([job, { steps }]) => steps.map(({ run = "" }) => [job, run] as const));
  const places = STEPS.map(([job, pattern]) => runs.findIndex(([at, run]) => at === job && pattern.test(run)));
  const missing = STEPS.filter((_step, nth) => places[nth] === -1);
  const identities = Object.keys(jobs).filter((job) => jobs[job]?.permissions?.["id-token"] !== undefined);
  const writers = Object.keys(jobs).filter((job) => jobs[job]?.permissions?.["contents"] === "write");
  return [
    ...missing.map(([job, pattern]) => `${job} lacks ${pattern.source}`),
    ...(places.every((place, nth) => nth === 0 || place > (places[nth - 1] ?? 0))
      ? []
      : ["the steps are out of order"]),
    ...(JSON.stringify(on) === JSON.stringify({ push: { tags: ["v[0-9]+.[0-9]+.[0-9]+"] } })
      ? []
      : ["it starts by more than the tag of a full release"]),
    ...(Object.keys(permissions).length === 0 ? [] : ["every job has rights"]),
    ...(identities.join() === "publish" && jobs["publish"]?.environment === "release" ? [] : ["others can publish"]),
    ...(writers.join() === "announce" ? [] : ["others can write to the repository"]),
    ...(jobs["publish"]?.needs === "pack" && jobs["announce"]?.needs === "publish" ? [] : ["a job waits for nobody"]),
    ...(/secrets\.|NODE_AUTH_TOKEN|NPM_TOKEN/.test(text) ? ["a lasting token publishes"] : []),
  ];
}

describe("a release", () => {
  const text = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");

  test("is tested, listed, summed and published with its provenance, by the workflow of a tag", () => {
    expect(releaseProblems(text)).toEqual([]);
  });

  test.each([
    ["npm audit signatures", "true"],
    ["npm sbom --omit=dev", "npm sbom"],
    [" --package-lock-only", ""],
    ["grep -qF", "true"],
    ['run: test "v', 'run: true "v'],
    [" --provenance", ""],
    [" --ignore-scripts", ""],
    ["      - run: .ci/run\n", ""],
    ["sha256sum --check SHA256SUMS", "true"],
    ["id-token: write", "packages: write"],
    ["permissions: {}", "permissions: { contents: write }"],
    ["environment: release", "environment: other"],
    ["needs: pack", "needs: announce"],
    ["GH_REPO:", "NODE_AUTH_TOKEN:"],
    ['    tags: ["v[0-9]+.[0-9]+.[0-9]+"]', '    branches: ["main"]'],
    ['tags: ["v[0-9]+.[0-9]+.[0-9]+"]', 'tags: ["v*"]'],
  ])("and the check finds it when %j becomes %j", (from, to) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(releaseProblems(changed)).not.toEqual([]);
  });
});

describe("SECURITY.md", () => {
  const text = readFileSync(join(root, "SECURITY.md"), "utf8");
  const rows = text.split("\n").filter((line) => /^\|.*`test\//.test(line));

  test("says how to report, what is promised and what is not", () => {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    for (const heading of ["Reporting", "Versions", "What is promised", "What is not promised"]) {
      expect(headings).toContain(heading);
    }
    expect(text).toContain("Report a vulnerability");
  });

  test("names a test for each promise, and each of them is there", () => {
    const promised = text.slice(text.indexOf("## What is promised"), text.indexOf("## What is not promised"));
    const table = promised
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(2);
    expect(table.filter((line) => !rows.includes(line))).toEqual([]);
    const named = [...promised.matchAll(/`(test\/[^`]+)`/g)].map(([, path = ""]) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    // `git` keeps no empty folder, so a folder that is there has tests.
    expect(named.length).toBeGreaterThan(table.length);
  });
});
