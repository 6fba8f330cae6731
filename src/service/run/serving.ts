/** The HTTP window, opened as soon as its address can be had: one that is taken or not there yet must leave no position naked. */
import {
  type HttpOptions,
  type HttpServer,
  ListenError,
  openToken,
  startHttp,
  TokenFileError,
  unknownToken,
} from "../../http/index.js";
import type { Log } from "../../runtime/index.js";
import type { Settings } from "../../settings/index.js";
import { StartRefused } from "../refused.js";

export interface Serving {
  /** It listens, or waits for its address. Rejects with StartRefused where waiting would not help. */
  readonly begun: Promise<void>;
  close(): Promise<void>;
}

const AGAIN_MS = 5_000;
const MEANWHILE = `positions are guarded all the same, and it is tried again every ${AGAIN_MS / 1_000} s`;

export function serve(
  { host, port, tokenFile }: NonNullable<Settings["http"]>,
  asked: Omit<HttpOptions, "host" | "port" | "token">,
): Serving {
  const { log } = asked;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let told: string | null = null;
  const open = async (token: string): Promise<HttpServer> => {
    const server = await startHttp({ ...asked, host, port, token });
    log.info({ url: server.url, tokenFile }, "listening");
    return server;
  };
  const later = (token: string, trouble: unknown): null => {
    const why = messageOf(trouble);
    if (why !== told) log.error({ code: "not-listening" }, `${why}; ${MEANWHILE}`);
    told = why;
    if (!isClosed) timer = setTimeout(() => void (opening = again(token)), AGAIN_MS);
    return null;
  };
  const again = async (token: string): Promise<HttpServer | null> => {
    try {
      return await open(token);
    } catch (error) {
      return later(token, error);
    }
  };
  const first = async (): Promise<HttpServer | null> => {
    try {
      const token = await tokenFrom(tokenFile, log);
      return await open(token).catch((error: unknown) => {
        if (error instanceof ListenError && error.mayPass) return later(token, error);
        throw error;
      });
    } catch (error) {
      throw new StartRefused(messageOf(error));
    }
  };
  let opening = first();
  return {
    begun: opening.then(() => undefined),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      const server = await opening.catch(() => null);
      await server?.close();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "http: cannot listen";
}

/** A disk that takes no token must not keep positions from being guarded: health is told, and the rest waits. */
async function tokenFrom(file: string, log: Log): Promise<string> {
  try {
    return await openToken(file);
  } catch (error) {
    if (!(error instanceof TokenFileError) || error.trouble !== "unmade") throw error;
    log.error({ code: "token-unmade" }, `${error.message}; until a restart nothing that needs a token is answered`);
    return unknownToken();
  }
}
