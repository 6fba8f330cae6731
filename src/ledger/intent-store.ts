/** Intents as rows: one that is over is never brought back, and only one process can take up or end each. */
import { bindable, bindableRow } from "./codec.js";
import type { Intent, IntentFilter, Ledger } from "./port.js";
import { intentColumns, toIntent } from "./rows.js";
import type { Runs } from "./runs.js";
import type { Database, IntentColumns } from "./tables.js";

const LIVE = ["pending", "bound"];

type IntentStore = Pick<Ledger, "saveIntent" | "intents" | "bindIntent" | "endIntent">;

export function createIntentStore(db: Database, { read, write }: Runs): IntentStore {
  return {
    saveIntent: (intent) => write(() => save(db, intent)),
    intents: (filter) => read(async () => (await intentRows(db, filter)).map(toIntent)),
    bindIntent: (id, lifeId) =>
      write(async () => {
        const bound = db.updateTable("intents").set(bindableRow({ state: "bound", life_id: lifeId }));
        const { numUpdatedRows } = await bound
          .where("id", "=", bindable(id))
          .where("state", "=", "pending")
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
    endIntent: (id, how, state = "ended") =>
      write(async () => {
        const ended = db.updateTable("intents").set(bindableRow({ state, ended_how: how }));
        const { numUpdatedRows } = await ended
          .where("id", "=", bindable(id))
          .where("state", "in", LIVE)
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
  };
}

/** What somebody has taken up is not made to wait again. */
async function save(db: Database, intent: Intent): Promise<boolean> {
  const columns = intentColumns(intent);
  const { id: _id, ...rest } = columns;
  const replaceable = intent.state === "pending" ? ["pending"] : LIVE;
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("intents")
    .values(columns)
    .onConflict((conflict) => conflict.column("id").doUpdateSet(rest).where("intents.state", "in", replaceable))
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export async function intentRows(db: Database, filter: IntentFilter): Promise<IntentColumns[]> {
  // PostgreSQL knows no empty list.
  if (filter.states?.length === 0) return [];
  const wanted: Partial<Record<keyof IntentColumns, string | number>> = {
    ...(filter.id === undefined ? {} : { id: filter.id }),
    ...(filter.account === undefined ? {} : { account: filter.account }),
    ...(filter.category === undefined ? {} : { category: filter.category }),
    ...(filter.symbol === undefined ? {} : { symbol: filter.symbol }),
    ...(filter.positionIdx === undefined ? {} : { position_idx: filter.positionIdx }),
    ...(filter.side === undefined ? {} : { side: filter.side }),
    ...(filter.lifeId === undefined ? {} : { life_id: filter.lifeId }),
  };
  let query = db.selectFrom("intents").selectAll();
  for (const [column, value] of Object.entries(wanted))
    query = query.where(column as keyof IntentColumns, "=", bindable(value));
  if (filter.states !== undefined) query = query.where("state", "in", filter.states.map(bindable));
  return query.orderBy("created_at_ms").orderBy("id").execute();
}
