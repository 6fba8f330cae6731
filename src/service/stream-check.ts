/** Whether the private stream of an account can be had: one login, and nothing is kept. */
import { connectBybitStream } from "../exchange/bybit/index.js";
import { systemClock } from "../runtime/index.js";
import { type Connected, streamAddressOf } from "./connect.js";

/** A login takes three answers. */
const LIVE_WITHIN_MS = 8_000;

/** Null: it came live. The session must have learnt the exchange's time, by which a login is signed. */
export async function streamTrouble({ account, session }: Connected): Promise<string | null> {
  let end: (trouble: string | null) => void = () => undefined;
  const ended = new Promise<string | null>((resolve) => (end = resolve));
  const stream = connectBybitStream(
    { ...streamAddressOf(account), clock: systemClock, offsetMs: () => session.clockOffsetMs() },
    { live: () => end(null), down: (reason) => end(reason), pushed: () => undefined },
  );
  const timer = setTimeout(() => end(`no login within ${LIVE_WITHIN_MS / 1_000} s`), LIVE_WITHIN_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
    await stream.close();
  }
}
