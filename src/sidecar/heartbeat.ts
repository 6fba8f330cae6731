/** Tells a dead man's switch elsewhere that passes complete; nothing here waits for it or fails because of it. */
import { type Log, scrub } from "../runtime/index.js";

export interface HeartbeatOptions {
  /** Base of the healthchecks.io style: `/start` and `/fail` are put behind its path. It gives access by itself. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly log: Log;
  /** How long one ping may take; default 10 s. */
  readonly timeoutMs?: number;
  /** Told of each ping that was not heard. */
  readonly onFailure?: () => void;
}

export interface Heartbeat {
  started(): void;
  completed(): void;
  /** The reason is sent without the secrets of this process, and cut where it is long. */
  failed(reason: string): void;
  /** Lets the last ping leave, at most one second; afterwards nothing is sent any more. */
  close(): Promise<void>;
}

interface Ping {
  readonly kind: "start" | "success" | "fail";
  readonly text: string;
}

const TIMEOUT_MS = 10_000;
const CLOSE_MS = 1000;
const LONGEST_REASON = 500;
const ENDINGS: Readonly<Record<Ping["kind"], string>> = { start: "/start", success: "", fail: "/fail" };

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const tell = createTelling(options);
  let waiting: Ping | null = null;
  let sending: Promise<void> | null = null;
  let giveUp = new AbortController();
  let isClosed = false;

  const sendAll = async (): Promise<void> => {
    for (let ping = waiting; ping !== null; ping = waiting) {
      waiting = null;
      giveUp = new AbortController();
      tell(await send(ping, options, giveUp));
    }
    sending = null;
  };
  const offer = (ping: Ping): void => {
    // A start says less than the outcome before it: to a slow server it would hide that passes complete.
    if (isClosed || (ping.kind === "start" && waiting !== null)) return;
    waiting = ping;
    sending ??= sendAll();
  };
  return {
    started: () => offer({ kind: "start", text: "" }),
    completed: () => offer({ kind: "success", text: "" }),
    failed: (reason) => offer({ kind: "fail", text: scrub(reason).slice(0, LONGEST_REASON) }),
    close: async () => {
      isClosed = true;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([sending, late]);
      clearTimeout(timer);
      waiting = null;
      giveUp.abort("was given up at the end");
    },
  };
}

/** Null: heard. Else what was wrong, in our own words: those of `fetch` can hold the URL. */
async function send({ kind, text }: Ping, options: HeartbeatOptions, giveUp: AbortController): Promise<string | null> {
  const { fetch, url, timeoutMs = TIMEOUT_MS } = options;
  const timer = setTimeout(() => giveUp.abort(`gave no answer within ${timeoutMs} ms`), timeoutMs);
  try {
    const response = await fetch(pingUrl(url, ENDINGS[kind]), {
      method: "POST",
      redirect: "error",
      signal: giveUp.signal,
      ...(text === "" ? {} : { body: text, headers: { "content-type": "text/plain; charset=utf-8" } }),
    });
    // Unread, it would hold its connection.
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return giveUp.signal.aborted ? String(giveUp.signal.reason) : `could not be reached (${causeOf(error)})`;
  } finally {
    clearTimeout(timer);
  }
}

/** The path grows; what stands behind a question mark stays behind it. */
function pingUrl(base: string, ending: string): string {
  const url = new URL(base);
  if (ending !== "") url.pathname = `${url.pathname.replace(/\/+$/, "")}${ending}`;
  return url.href;
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return "no reason given";
  if (cause.message === "unexpected redirect") return "it redirects, which is not followed";
  return "code" in cause && typeof cause.code === "string" ? cause.code : "no reason given";
}

/** One line when it goes wrong, one when it goes wrong otherwise, one when it is well again. */
function createTelling({ log, onFailure }: HeartbeatOptions): (trouble: string | null) => void {
  let last: string | null = null;
  return (trouble) => {
    if (trouble !== null) onFailure?.();
    if (trouble === last) return;
    last = trouble;
    if (trouble === null) log.info("the heartbeat is heard again");
    else log.warn(`the heartbeat is not heard: its server ${trouble}; passes go on`);
  };
}
