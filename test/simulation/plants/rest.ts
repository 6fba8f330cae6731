/** Planted beside reading and writing: the journal, the lock, pauses, the stream, what is told, and secrets. */
import { dec } from "../../../src/domain/decimal.js";
import type { GuardParts } from "../../../src/sidecar/parts.js";
import type { Plant } from "../planted.js";
import { addressText } from "../switch.js";
import { KEY, SECRET } from "../venue.js";
import { atTheLine, busy, toldAs } from "./wrapping.js";

const passAs = (change: (pass: GuardParts["pass"]) => Partial<GuardParts["pass"]>): Pick<Plant, "guard"> => ({
  guard: (parts) => ({ ...parts, pass: { ...parts.pass, ...change(parts.pass) } }),
});

/** So many promises later. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

export const REST_PLANTS: readonly Plant[] = [
  {
    name: "nothing is written down before it is sent",
    breaks: ["S17"],
    story: busy,
    ...passAs(({ journal }) => ({
      journal: { intended: () => Promise.resolve(), answered: (...given) => journal?.answered(...given) },
    })),
  },
  {
    name: "what is sent is written down, but not waited for",
    breaks: ["S17"],
    story: busy,
    ...passAs(({ journal }) => ({
      journal: {
        intended: (...given) => {
          void journal?.intended(...given);
          return Promise.resolve();
        },
        answered: (...given) => journal?.answered(...given),
      },
    })),
  },
  {
    name: "stops are moved although nothing can be written down",
    breaks: ["S17"],
    story: (story) => ({
      ...busy(story),
      // What is moved is what a person has loosened.
      symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"],
      personEverySeconds: 20,
      botEverySeconds: 120,
      protection: { ...story.protection, ...busy(story).protection, stopPercent: 1 },
      faults: { journalFull: 300 },
    }),
    ...passAs(() => ({ heldStep: () => null })),
  },
  {
    name: "a missing stop is written down, and sent, after what is only made better",
    breaks: ["L6"],
    story: (story) => ({
      ...busy(story),
      // Between two sweeps nobody hears of anything, so that much is to be done at once.
      symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT", "XRPUSDT"],
      sweepSeconds: 120,
      personEverySeconds: 20,
      faults: { pushLost: 1 },
    }),
    ...passAs(({ journal }) => ({
      journal: {
        intended: async (step, ...given) => {
          const isMissing = step.action === "set-trading-stop" && step.stopLoss?.purpose === "add";
          if (isMissing) await turns(20);
          await journal?.intended(step, ...given);
        },
        answered: (...given) => journal?.answered(...given),
      },
    })),
  },
  {
    name: "the dead man's switch is never told",
    breaks: ["F45"],
    story: busy,
    ping: () => () => Promise.resolve({ ok: true, status: 200, body: null } as Response),
  },
  {
    name: "the dead man's switch is told that all is well after a sweep that failed",
    breaks: ["F45"],
    story: (story) => ({ ...busy(story), faults: { keyInvalid: 400 } }),
    ping: (ping) => (url, options) => ping(addressText(url).replace(/\/fail$/, ""), options),
  },
  {
    name: "a pause is overlooked",
    breaks: ["S22"],
    story: (story) => ({ ...busy(story), symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"], paused: "ETHUSDT" }),
    guard: (parts) => ({ ...parts, paused: () => null }),
  },
  {
    name: "the account's lock is overlooked",
    breaks: ["S15"],
    story: (story) => ({ ...busy(story), instances: 2 }),
    ...passAs(() => ({ frozen: () => null })),
  },
  {
    name: "nakedness is told as protection",
    breaks: ["S11"],
    story: busy,
    ...toldAs((event) =>
      event.kind === "naked"
        ? [{ kind: "protected", key: event.key, side: event.side, price: dec("1"), afterMs: null }]
        : [event],
    ),
  },
  {
    name: "an acknowledgement is told as protection",
    breaks: ["S11"],
    story: (story) => ({ ...busy(story), faults: { writeLie: 0.5, writeLateEffect: 0.3 } }),
    ...toldAs((event) => {
      if (event.kind !== "sent" || event.step.action !== "set-trading-stop" || event.step.stopLoss === null)
        return [event];
      const { key, side, stopLoss } = event.step;
      return [event, { kind: "protected", key, side, price: stopLoss.price, afterMs: null }];
    }),
  },
  {
    name: "what is uncertain is told as confirmed",
    breaks: ["S11"],
    story: (story) => ({ ...busy(story), faults: { writeLie: 0.5, writeTimeoutBefore: 0.2 } }),
    ...toldAs((event) =>
      event.kind === "outcome" && event.record.outcome !== "confirmed"
        ? [{ ...event, record: { ...event.record, outcome: "confirmed" } }]
        : [event],
    ),
  },
  {
    name: "a position is told as closed whenever it shrinks",
    breaks: ["S4"],
    story: busy,
    ...toldAs((event) =>
      event.kind === "life" && event.change === "shrank" ? [{ ...event, change: "closed", by: null }] : [event],
    ),
  },
  {
    name: "nobody is told of a naked position",
    breaks: ["L4"],
    story: (story) => ({
      ...busy(story),
      intents: false,
      protection: { ...story.protection, ...busy(story).protection, mode: "report-only" },
    }),
    ...toldAs((event) => (event.kind === "naked" || event.kind === "finding" ? [] : [event])),
  },
  {
    name: "the key is in a line of the log",
    breaks: ["S16"],
    story: busy,
    shared: (shared) => {
      shared.log.info(`connecting with ${KEY}`);
      return shared;
    },
  },
  {
    name: "the error of a request is told with its headers",
    breaks: ["S16"],
    story: (story) => ({ ...busy(story), faults: { readReset: 0.05 } }),
    shared: (shared, run, instance) => {
      const planted = atTheLine(async (outgoing, carry) => {
        try {
          return await carry(outgoing);
        } catch (error) {
          shared.log.warn(`failed: ${JSON.stringify((error as { config?: unknown }).config)}`);
          throw error;
        }
      });
      return planted.shared?.(shared, run, instance) ?? shared;
    },
  },
  {
    name: "the secret is told with an event",
    breaks: ["S16"],
    story: busy,
    ...toldAs((event) => (event.kind === "stream" ? [{ ...event, reason: `login with ${SECRET}` }] : [event])),
  },
  {
    name: "what the stream tells of a live account is not heard until the next sweep",
    breaks: ["L3"],
    story: (story) => ({
      ...busy(story),
      botEverySeconds: 3_600,
      sweepSeconds: 600,
      intents: false,
      symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"],
    }),
    guard: (parts) => ({
      ...parts,
      openStream: (listener) =>
        parts.openStream({
          live: () => listener.live(),
          down: (reason) => listener.down(reason),
          pushed: () => undefined,
        }),
    }),
  },
  {
    name: "the stream is deaf and sweeps are not heard",
    breaks: ["L1", "L5"],
    story: (story) => ({ ...busy(story), botEverySeconds: 120 }),
    guard: (parts) => ({
      ...parts,
      openStream: () => ({ account: parts.name, isLive: () => true, close: () => Promise.resolve() }),
      pass: {
        ...parts.pass,
        reader: {
          ...parts.pass.reader,
          snapshot: (() => {
            let isFirst = true;
            return async (scope: Parameters<typeof parts.pass.reader.snapshot>[0]) => {
              const snapshot = await parts.pass.reader.snapshot(scope);
              if (isFirst) {
                isFirst = false;
                return snapshot;
              }
              return { ...snapshot, positions: [], orders: [] };
            };
          })(),
        },
      },
    }),
  },
];
