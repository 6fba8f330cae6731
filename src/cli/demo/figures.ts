/** The demo's last page: what became of the same positions with and without exits at the exchange. */
import { Decimal, dec, print } from "../../domain/decimal.js";

/** One closed or still open leg as the simulated exchange accounts for it. */
export interface LegResult {
  readonly symbol: string;
  readonly side: string;
  /** Realised plus unrealised profit in USD terms; negative is a loss. */
  readonly profit: Decimal;
  readonly ending: string;
}

export function comparison(guarded: readonly LegResult[], twin: readonly LegResult[]): string {
  const rows = guarded.map((leg) => {
    const other = twin.find(({ symbol, side }) => symbol === leg.symbol && side === leg.side);
    return [
      `${leg.symbol} ${leg.side}`,
      money(leg.profit),
      leg.ending,
      money(other?.profit ?? dec("0")),
      other?.ending ?? "",
    ];
  });
  const total = (legs: readonly LegResult[]) => legs.reduce((sum, { profit }) => sum.plus(profit), dec("0"));
  const saved = total(guarded).minus(total(twin));
  const head = ["", "with exits", "", "unprotected twin", ""];
  const sums = ["all", money(total(guarded)), "", money(total(twin)), ""];
  return `${aligned([head, ...rows, sums])}\n\n  Saved: ${money(saved)} USD\n`;
}

function money(amount: Decimal): string {
  const rounded = amount.toDecimalPlaces(0, Decimal.ROUND_HALF_UP);
  return `${rounded.lt(0) ? "-" : "+"}${print(rounded.abs()).replace(/\B(?=(\d{3})+$)/g, ",")}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number) => column === 1 || column === 3;
  const cell = (text: string, column: number) =>
    isNumber(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join("   ").trimEnd()}`).join("\n");
}
