/** Planted in what the operator has allowed, and in what he is told while something is missing. */
import { dec, print } from "../../../src/domain/decimal.js";
import type { Mode } from "../../../src/policy/protection.js";
import type { SidecarEvent } from "../../../src/sidecar/event.js";
import type { Plant } from "../planted.js";
import type { Story } from "../story.js";
import { atTradingStop, busy, policyAs, toldAs } from "./wrapping.js";

const inMode =
  (mode: Mode) =>
  (story: Story): Partial<Story> => ({
    ...busy(story),
    intents: false,
    protection: { ...story.protection, ...busy(story).protection, mode, onScaleIn: "keep" },
  });

const takenFor = (mode: Mode) =>
  policyAs((policy) => ({ ...policy, protection: { ...policy.protection, mode } }) satisfies typeof policy);

const isAlarm = ({ kind }: SidecarEvent) => kind === "naked" || kind === "finding";

export const MODE_PLANTS: readonly Plant[] = [
  { name: "create-only is taken for sync", breaks: ["S13"], story: inMode("create-only"), ...takenFor("sync") },
  {
    name: "create-only is taken for tighten-only",
    breaks: ["S13"],
    story: inMode("create-only"),
    ...takenFor("tighten-only"),
  },
  {
    name: "in tighten-only a take-profit that stands is moved along with the stop",
    breaks: ["S13"],
    story: inMode("tighten-only"),
    ...atTradingStop((params, run) => {
      const { symbol, positionIdx, stopLoss } = params;
      const state = run.venue.states().find((one) => one.symbol === symbol && one.positionIdx === positionIdx);
      if (stopLoss === undefined || state?.takeProfit == null) return;
      const tick = run.venue.ticks(String(symbol)).at(-1) ?? dec("1");
      params["takeProfit"] = print(state.takeProfit.price.plus(state.side === "long" ? tick : tick.neg()));
      params["tpTriggerBy"] = "MarkPrice";
    }),
  },
  {
    name: "every stop goes by the last price",
    breaks: ["CONFIG"],
    story: busy,
    ...atTradingStop((params) => {
      if (params["slTriggerBy"] !== undefined) params["slTriggerBy"] = "LastPrice";
    }),
  },
  {
    name: "what is paused is not told either",
    breaks: ["S22"],
    story: (story) => ({ ...inMode("sync")(story), symbols: ["BTCUSDT", "ETHUSDT"], paused: "ETHUSDT" }),
    ...toldAs((event) => {
      const symbol = event.kind === "naked" ? event.key.symbol : event.kind === "finding" ? event.place.symbol : null;
      return symbol === "ETHUSDT" ? [] : [event];
    }),
  },
  {
    name: "a naked position is told once and never again",
    breaks: ["L4"],
    story: inMode("report-only"),
    guard: (parts) => {
      const told = new Set<string>();
      const isNews = (event: SidecarEvent) => {
        if (event.kind !== "finding") return true;
        const text = `${event.place.symbol} ${event.finding.code}`;
        return told.size < told.add(text).size;
      };
      return { ...parts, tell: (event) => (isAlarm(event) && !isNews(event) ? undefined : parts.tell(event)) };
    },
  },
];
