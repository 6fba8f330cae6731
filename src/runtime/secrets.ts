/** The secrets of this process, and the last look at everything it prints. */

const HIDDEN = "[secret]";
/** Shorter ones would blot out ordinary words; the exchange's keys have 18 characters and its secrets 36. */
const SHORTEST = 8;

export interface SecretRegistry {
  register(secret: string): void;
  /** The secrets as registered. */
  values(): readonly string[];
  /** The text without any of them, however they are encoded in it. */
  scrub(text: string): string;
}

export function createSecretRegistry(): SecretRegistry {
  const spellingsBySecret = new Map<string, readonly string[]>();
  return {
    register(secret) {
      if (secret.length >= SHORTEST) spellingsBySecret.set(secret, spellings(secret));
    },
    values: () => [...spellingsBySecret.keys()],
    scrub: (text) => replaceAll(text, [...spellingsBySecret.values()].flat()),
  };
}

const processSecrets = createSecretRegistry();

/** From here on `scrub` and the logs of this process hide the secret. */
export function registerSecret(secret: string): void {
  processSecrets.register(secret);
}

/** For everything that leaves the process other than by its log: reports, files, answers. */
export function scrub(text: string): string {
  return processSecrets.scrub(text);
}

/**
 * The same for every text in a plain value. Before it is put into a form: what a form escapes or wraps into lines can
 * not be found in it any more.
 */
export function scrubValue<T>(value: T): T {
  return mapTexts(value, scrub) as T;
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((entry) => mapTexts(entry, change));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, mapTexts(held, change)]));
}

/** What `createLog` asks for at each line, so that secrets registered later are hidden too. */
export function registeredSecrets(): readonly string[] {
  return processSecrets.values();
}

/** Hides the given secrets; for a caller with a list of its own. */
export function scrubSecrets(text: string, secrets: readonly string[], mark: string = HIDDEN): string {
  const long = secrets.filter((secret) => secret.length >= SHORTEST);
  return replaceAll(
    text,
    long.flatMap((secret) => spellings(secret)),
    mark,
  );
}

/** Longest first: a short spelling must not cut a long one in two and leave its rest standing. */
function replaceAll(text: string, found: readonly string[], mark: string = HIDDEN): string {
  const longestFirst = found.toSorted((first, second) => second.length - first.length);
  return longestFirst.reduce((scrubbed, spelling) => scrubbed.replaceAll(spelling, mark), text);
}

/** The ways a secret turns up in text: as it is, in JSON, in a URL, on a page, in base64. */
function spellings(secret: string): readonly string[] {
  const known = SPELLINGS.get(secret);
  if (known !== undefined) return known;
  const inJson = jsonEscaped(secret);
  const inUrl = urlEncoded(secret);
  const all = [
    secret,
    inJson,
    jsonEscaped(inJson),
    inUrl,
    new URLSearchParams([["", secret]]).toString().slice(1),
    inUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ...onPage(secret),
    ...onPage(secret).map(jsonEscaped),
    ...base64Spellings(secret),
  ];
  const found = [...new Set(all)];
  SPELLINGS.set(secret, found);
  return found;
}

/** Asked at each line of the log; a process has few secrets. */
const SPELLINGS = new Map<string, readonly string[]>();

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** By way of its bytes, because half a character would be refused. */
function urlEncoded(text: string): string {
  return encodeURIComponent(Buffer.from(text, "utf8").toString("utf8"));
}

/** As HTML writes it; pages differ in how they write quotes. */
function onPage(text: string): string[] {
  const plain = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = plain.replaceAll('"', "&quot;");
  return [plain, quoted, quoted.replaceAll("'", "&#39;"), quoted.replaceAll("'", "&#x27;")];
}

/**
 * Base64 of a text that holds the secret depends on where in it the secret begins, in three ways
 * (`user:secret` of basic auth is one of them); the letters at both ends, which depend on the neighbours too,
 * are left out.
 */
function base64Spellings(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const start = offset === 0 ? 0 : offset + 1;
    const end = (offset + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1;
    const stable = encoded.slice(start, end);
    return [stable, stable.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
