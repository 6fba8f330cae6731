/** How bugs get in: around the writer, the reader, the memory, the policy, the events and the lines that a guard is handed. */
import type { LifeRecord } from "../../../src/domain/life.js";
import type { Position } from "../../../src/domain/position.js";
import type { Snapshot } from "../../../src/domain/snapshot.js";
import type { Lines, OpenLines, Outgoing } from "../../../src/exchange/bybit/index.js";
import type { Reader, Writer } from "../../../src/exchange/port.js";
import type { SidecarEvent } from "../../../src/sidecar/event.js";
import type { GuardParts } from "../../../src/sidecar/parts.js";
import type { Plant } from "../planted.js";
import type { Run } from "../run-parts.js";
import type { Story } from "../story.js";

type Carry = (outgoing: Outgoing) => Promise<unknown>;

/** A bot that is busy, hands that meddle, and a mode in which much is written. */
export const busy = (story: Story): Partial<Story> => ({
  ignored: null,
  paused: null,
  spoilt: null,
  instances: 1,
  sweepSeconds: 30,
  botEverySeconds: 20,
  personEverySeconds: 120,
  restMinutes: 0,
  protection: {
    ...story.protection,
    mode: "sync",
    takeProfit: "3%",
    graceMs: 0,
    vanishMs: 1_000,
    onDrift: "restore",
    pastStop: "rebase",
  },
  faults: {},
});

/** Changes what leaves; `again` sends something beside it. */
export function atTheLine(
  change: (outgoing: Outgoing, carry: Carry, run: Run) => Promise<unknown>,
): Pick<Plant, "shared"> {
  return {
    shared: (shared, run) => {
      const openLines: OpenLines = (options) => {
        const lines = shared.wires?.openLines?.(options) as Lines;
        return {
          close: () => lines.close(),
          open: (credentials) => {
            const line = lines.open(credentials);
            return {
              get offsetMs() {
                return line.offsetMs;
              },
              set offsetMs(offsetMs) {
                line.offsetMs = offsetMs;
              },
              carry: (outgoing) => change(outgoing, (it) => line.carry(it), run),
            };
          },
        };
      };
      return { ...shared, wires: { ...shared.wires, openLines } };
    },
  };
}

/** Changes the parameters of each trading-stop. */
export function atTradingStop(
  change: (params: Record<string, string | number | boolean>, run: Run) => void,
): Pick<Plant, "shared"> {
  return atTheLine((outgoing, carry, run) => {
    if (outgoing.path !== "/v5/position/trading-stop") return carry(outgoing);
    const params = { ...outgoing.params };
    change(params, run);
    return carry({ ...outgoing, params });
  });
}

export function aroundWriter(wrap: (writer: Writer, run: Run) => Partial<Writer>): Pick<Plant, "guard"> {
  return {
    guard: (parts, run) => {
      const { writer } = parts.pass;
      return writer === undefined
        ? parts
        : { ...parts, pass: { ...parts.pass, writer: { ...writer, ...wrap(writer, run) } } };
    },
  };
}

export function aroundReader(snapshot: (reader: Reader, run: Run) => Reader["snapshot"]): Pick<Plant, "guard"> {
  return {
    guard: (parts, run) => {
      const { reader } = parts.pass;
      return { ...parts, pass: { ...parts.pass, reader: { ...reader, snapshot: snapshot(reader, run) } } };
    },
  };
}

/** Each snapshot as it would be with the bug. */
export const seenAs = (change: (snapshot: Snapshot, run: Run) => Snapshot): Pick<Plant, "guard"> =>
  aroundReader((reader, run) => async (scope) => change(await reader.snapshot(scope), run));

export const positionsAs = (change: (position: Position, run: Run) => Position): Pick<Plant, "guard"> =>
  seenAs((snapshot, run) => ({ ...snapshot, positions: snapshot.positions.map((one) => change(one, run)) }));

/** What is recalled of each life, with the bug. */
export function recalledAs(change: (record: LifeRecord, position: Position) => LifeRecord): Pick<Plant, "guard"> {
  return {
    guard: (parts) => {
      const { memory } = parts.pass;
      const recall = (position: Position) => change(memory.recall(position), position);
      return { ...parts, pass: { ...parts.pass, memory: { ...memory, recall } } };
    },
  };
}

export function policyAs(
  change: (policy: ReturnType<GuardParts["pass"]["policyOf"]>) => ReturnType<GuardParts["pass"]["policyOf"]>,
): Pick<Plant, "guard"> {
  return {
    guard: (parts) => ({
      ...parts,
      pass: { ...parts.pass, policyOf: (key, side) => change(parts.pass.policyOf(key, side)) },
    }),
  };
}

export function toldAs(change: (event: SidecarEvent) => readonly SidecarEvent[]): Pick<Plant, "guard"> {
  return {
    guard: (parts) => ({
      ...parts,
      tell: (event) => {
        for (const one of change(event)) parts.tell(one);
      },
    }),
  };
}

export const isLong = (run: Run, symbol: unknown, positionIdx: unknown): boolean =>
  run.venue.states().find((one) => one.symbol === symbol && one.positionIdx === positionIdx)?.side === "long";
