/**
 * Loaded before the program: its wall clock is off by what a file says, and steps when that changes. Timers and
 * `performance.now` go on as they do when a machine's clock is set.
 */
import { readFileSync } from "node:fs";

const file = process.env.CHAOS_CLOCK_FILE ?? "";
const RealDate = Date;
let offsetMs = 0;

function look() {
  const said = Number(readFileSync(file, "utf8"));
  if (Number.isFinite(said)) offsetMs = said;
}

const now = () => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

look();
setInterval(look, 50).unref();
