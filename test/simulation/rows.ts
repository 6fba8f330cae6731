/** Rows as the exchange may send them one day: new fields, unknown words, missing ones, twice, without a price. */
import { type Run, strikes } from "./run-parts.js";

type Row = Record<string, unknown>;

interface Envelope {
  readonly retCode: number;
  readonly result: { list?: Row[] };
}

const LISTS: readonly string[] = ["/v5/position/list", "/v5/order/realtime", "/v5/market/tickers"];

/** Changes the answer in place. */
export function spoilRows(run: Run, path: string, data: unknown): unknown {
  if (!LISTS.includes(path) || typeof data !== "object" || data === null) return data;
  const { retCode, result } = data as Envelope;
  const { list } = result;
  if (retCode !== 0 || list === undefined || list.length === 0) return data;
  const isPositions = path === "/v5/position/list";
  if (isPositions) for (const each of list) spoilFor(run, each);
  const row = list[run.dice.between(0, list.length - 1)];
  if (row === undefined) return data;
  if (path === "/v5/market/tickers") {
    if (strikes(run, "noMark")) for (const each of list) spoilPrice(run, each);
    return data;
  }
  if (isPositions && strikes(run, "emptyList")) list.length = 0;
  if (strikes(run, "schemaNewField"))
    Object.assign(row, { newField: { deep: [1] }, seq: `${Number(row["seq"] ?? 1)}` });
  if (strikes(run, "schemaNewEnum")) spoilWord(run, row, isPositions);
  if (strikes(run, "schemaMissing")) {
    const fields = isPositions
      ? ["size", "side", "positionIdx", "avgPrice", "stopLoss"]
      : ["triggerPrice", "side", "stopOrderType", "qty"];
    const field = fields[run.dice.between(0, fields.length - 1)] ?? "side";
    delete row[field];
  }
  if (list.length > 0 && strikes(run, "doubledRow")) {
    const other = isPositions && run.dice.next() < 0.5 ? { ...row, size: `${String(row["size"])}1` } : { ...row };
    list.push(other);
  }
  if (isPositions && strikes(run, "noMark")) spoilPrice(run, row);
  return data;
}

/** For as long as it is so, also in what is pushed. */
export function spoilFor({ spoilt }: Run, row: Row): void {
  if (spoilt !== null && row["symbol"] === spoilt) row["side"] = "Both";
}

function spoilPrice(run: Run, row: Row): void {
  row["markPrice"] = run.dice.pick(["", "0", undefined]);
}

function spoilWord(run: Run, row: Row, isPositions: boolean): void {
  type Word = readonly [string, unknown];
  const ofPositions: [Word, ...Word[]] = [
    ["side", "Both"],
    ["positionStatus", "Paused"],
    ["tradeMode", 7],
  ];
  const ofOrders: [Word, ...Word[]] = [
    ["orderStatus", "Dreaming"],
    ["stopOrderType", "HalfStop"],
    ["triggerBy", "Rumour"],
  ];
  const [field, word] = run.dice.pick(isPositions ? ofPositions : ofOrders);
  row[field] = word;
}
