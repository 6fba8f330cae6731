/** The house rules as functions from files to sentences; an empty list is a tidy house. */
import { codeOf, type Import, importsOf, type SourceFile } from "./sources.js";

const PASS = ["domain", "policy", "assess", "plan", "apply", "verify", "ledger", "report", "exchange"];

/** Who may import whom; a room may always import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | "everything">> = {
  domain: [],
  runtime: [],
  policy: ["domain"],
  settings: ["domain", "policy", "runtime"],
  exchange: ["domain"],
  "exchange/bybit": ["domain", "exchange", "runtime"],
  "exchange/simulator": ["domain"],
  assess: ["domain", "policy"],
  plan: ["domain", "policy", "assess"],
  apply: ["domain", "policy", "assess", "plan", "exchange"],
  verify: ["domain", "policy", "assess", "plan", "apply"],
  ledger: ["domain", "policy", "plan"],
  intents: ["domain", "policy", "assess", "plan", "ledger", "runtime"],
  report: ["domain", "policy", "assess", "plan", "verify"],
  pass: PASS,
  sidecar: [...PASS, "pass", "intents", "runtime"],
  http: [...PASS, "pass", "intents", "sidecar", "runtime"],
  service: [...PASS, "pass", "intents", "sidecar", "http", "settings", "runtime", "exchange/bybit"],
  library: [...PASS, "intents", "sidecar", "http", "settings", "runtime", "service"],
  cli: "everything",
  index: "everything",
};

const QUIET: readonly string[] = ["domain", "policy", "assess", "plan", "verify", "report"];
const MAY_WRITE: readonly string[] = ["exchange", "exchange/bybit", "apply", "pass", "service", "cli", "index"];

/** `src/exchange/bybit/client.ts` → `exchange/bybit`; `src/pass.ts` → `pass`; null outside src. */
export function roomOf(path: string): string | null {
  const [top, room, next] = path.split("/");
  if (top !== "src" || room === undefined) return null;
  if (room === "exchange" && (next === "bybit" || next === "simulator")) return `exchange/${next}`;
  return room.replace(/\.ts$/, "");
}

export function forbiddenArrows(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (room === null) return [];
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [`${file.path}: the room ${room} has no place in the import table`];
  return importsOf(file).flatMap((line) => {
    const target = roomOf(line.target);
    if (target === null || target === room) return [];
    const problem = arrowProblem(room, target, line, allowed);
    return problem === null ? [] : [`${file.path}: ${problem}`];
  });
}

function arrowProblem(room: string, target: string, line: Import, allowed: readonly string[] | "everything") {
  if (allowed !== "everything" && !allowed.includes(target)) return `${room} must not import ${line.target}`;
  if (QUIET.includes(room) && !QUIET.includes(target) && !line.typeOnly) {
    return `the quiet room ${room} may import ${line.target} only as types`;
  }
  if (line.names.includes("Writer") && !MAY_WRITE.includes(room)) return `${room} must not be handed a Writer`;
  return null;
}

const PROBE_ROOM = /^src\/cli\/probe\//;
const PROBE_COMMAND = "src/cli/probe.ts";
/** With these, anything could be sent to an exchange. */
const BARE_LINE: readonly string[] = ["src/exchange/bybit/client.ts", "src/exchange/bybit/transport.ts"];

/** The probe opens positions: no other command may be able to reach what does so. */
export function probeOutOfItsRoom(file: SourceFile): string[] {
  const isProbe = PROBE_ROOM.test(file.path) || file.path === PROBE_COMMAND;
  const isEdge = file.path.startsWith("src/exchange/bybit/");
  return importsOf(file).flatMap(({ target, typeOnly }) => {
    const entersRoom = PROBE_ROOM.test(target) && !isProbe;
    const startsIt = target === PROBE_COMMAND && file.path !== "src/cli/main.ts";
    const takesLine = BARE_LINE.includes(target) && !typeOnly && !isEdge && file.path !== "src/cli/probe/wire.ts";
    return entersRoom || startsIt || takesLine ? [`${file.path}: ${target} is for the probe alone`] : [];
  });
}

const LOUD_WORDS = [
  { word: "Date", pattern: /\bDate\b/ },
  { word: "process", pattern: /(?<![.\w])process\./ },
  { word: "a timer", pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/ },
  { word: "randomness", pattern: /\bMath\.random\b|\bcrypto\b/ },
  { word: "performance", pattern: /(?<![.\w])performance\./ },
  { word: "fetch", pattern: /(?<![.\w])fetch\(/ },
  { word: "console", pattern: /(?<![.\w])console\./ },
  { word: "await", pattern: /\bawait\b/ },
  { word: "async", pattern: /\basync\b/ },
];

export function noiseInQuietRooms(file: SourceFile): string[] {
  if (!QUIET.includes(roomOf(file.path) ?? "")) return [];
  const code = codeOf(file.text);
  const words = LOUD_WORDS.filter(({ pattern }) => pattern.test(code)).map(({ word }) => word);
  const modules = importsOf(file)
    .filter(({ target }) => target.startsWith("node:"))
    .map(({ target }) => target);
  return [...words, ...modules].map((name) => `${file.path}: a quiet room names ${name}`);
}

/** The model of the simulated exchange is handed its clock; only the parts that make a server of it have one. */
const SIMULATED_SERVER = /^src\/exchange\/simulator\/(?:index|server|control|socket|stream|http)[^/]*\.ts$/;
const TIMER_ROOMS: readonly string[] = ["runtime", "sidecar", "http", "service", "cli", "exchange/bybit", "apply"];

export function clocksOutOfPlace(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (room === null || room === "runtime" || SIMULATED_SERVER.test(file.path)) return [];
  const code = codeOf(file.text);
  const found = code.match(/\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|(?<![.\w])performance\.now\b/g) ?? [];
  const timers = TIMER_ROOMS.includes(room) ? [] : (code.match(/\bset(?:Timeout|Interval|Immediate)\b/g) ?? []);
  return [...found, ...timers].map(
    (name) => `${file.path}: ${name} belongs to src/runtime; take a clock as a parameter`,
  );
}

export function missingOpening(file: SourceFile): string[] {
  const comment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//
    .exec(file.text)?.[1]
    ?.replace(/^\s*\*/gm, "")
    .trim();
  if (comment === undefined) return [`${file.path}: does not open with a sentence that says what it is`];
  return /[.!?]$/.test(comment) ? [] : [`${file.path}: its opening is not a sentence`];
}

export function tooLong(file: SourceFile): string[] {
  const lines = file.text.trimEnd().split("\n").length;
  return lines > 300 ? [`${file.path}: ${lines} lines; 300 is the most`] : [];
}

const UNFINISHED = /\b(?:TODO|FIXME|XXX)\b|@ts-(?:ignore|nocheck|expect-error)/;
const ANY = /(?:[:<,|&=]\s*|\bas\s+)any\b(?!\s*[:(])/;

export function unfinished(file: SourceFile): string[] {
  const words = UNFINISHED.test(file.text) ? [`${file.path}: unfinished, or hidden from the type checker`] : [];
  return ANY.test(codeOf(file.text)) ? [...words, `${file.path}: uses any`] : words;
}

/** Folders that exist only on the machine where something was written. */
export function machinePaths(file: SourceFile): string[] {
  const found = file.text.match(/(?<![\w.:/-])\/(?:work|root|home)\/[\w.-]+/g) ?? [];
  return found.map((path) => `${file.path}: names a folder of one machine: ${path}`);
}

export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  /** As the package states it, SPDX. */
  readonly license?: string;
  /** A folder of this machine instead of a package. */
  readonly link?: boolean;
  /** Absent: every operating system, every processor. */
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const MOST_RUNTIME_PACKAGES = 90;
/** What runs beside the keys may be used, changed and passed on by everyone. */
const LICENCES: readonly string[] = [
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "BlueOak-1.0.0",
];

export function lockfileProblems(lock: Lockfile): string[] {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
  const runtime = packages.filter(([, entry]) => entry.dev !== true);
  const here = runtime.filter(([, entry]) => fits(entry));
  const scripts = runtime.filter(([, entry]) => entry.hasInstallScript === true).map(([path]) => path);
  const hosts = packages.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path);
  return [
    ...scripts.map((path) => `${path} runs a script when it is installed`),
    ...hosts.map((path) => `${path} is bound to the host it was first loaded from`),
    ...packages.flatMap(([path, entry]) => unproven(path, entry)),
    ...runtime.flatMap(([path, { license = "none" }]) =>
      LICENCES.includes(license) ? [] : [`${path} has the licence ${license}`],
    ),
    ...packages.flatMap(([path, entry]) => missingPlatforms(lock, path, entry)),
    ...(here.length > MOST_RUNTIME_PACKAGES
      ? [`${here.length} runtime packages; ${MOST_RUNTIME_PACKAGES} is the most`]
      : []),
  ];
}

/** With its checksum a package is the same one wherever it is loaded from; a folder or a repository has none. */
function unproven(path: string, { integrity = "", link = false }: LockedPackage): string[] {
  return integrity.startsWith("sha512-") && !link ? [] : [`${path} is not tied to its content by a checksum`];
}

/** Counted as on one machine, always the same one: of a native library, npm installs the build for that machine only. */
function fits({ os, cpu }: LockedPackage): boolean {
  return (os?.includes("linux") ?? true) && (cpu?.includes("x64") ?? true);
}

/** `npm ci` refuses a lockfile that leaves out the packages of other platforms, on every platform. */
function missingPlatforms(lock: Lockfile, path: string, entry: LockedPackage): string[] {
  return Object.keys(entry.optionalDependencies ?? {})
    .filter((name) => {
      const locked = lock.packages[`${path}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
      return locked?.version === undefined;
    })
    .map((name) => `${path} may need ${name} on another platform, which is not locked`);
}

/** A tag of an action can be moved to other code; a commit cannot. */
export function movableActions(file: SourceFile): string[] {
  const used = [...file.text.matchAll(/^\s*(?:-\s+)?uses:\s*(\S+)(.*)$/gm)];
  return used
    .filter(([, action = "", rest = ""]) => !(/@[0-9a-f]{40}$/.test(action) && /^ # v\d/.test(rest)))
    .map(([, action]) => `${file.path}: ${action} is not tied to a commit, with its version beside it`);
}

/** What a step runs, and so what comes with it: `npm ci` takes the lockfile as it stands. */
export function looseInstalls(file: SourceFile): string[] {
  const found = file.text.match(/\bnpm (?:install|i|update|add)\b(?! --global npm@\d+\.\d+\.\d+)[^\n]*/g) ?? [];
  return found.map((command) => `${file.path}: ${command} may install other packages than were tested`);
}
