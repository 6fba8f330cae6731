/** Every version of the tables, each from the one before; what has been released is never changed here. */
import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Tables } from "./tables.js";

export type Migration = (db: Kysely<Tables>, kind: "sqlite" | "postgres") => Promise<void>;

export const MIGRATIONS: readonly Migration[] = [first, second];

async function first(db: Kysely<Tables>, kind: "sqlite" | "postgres"): Promise<void> {
  const forms = formsOf(kind);
  await forms.create(db.schema.createTable("schema_version").addColumn("version", "integer", notNull));
  await createLives(db, forms);
  await createEntries(db, forms);
  await createIntents(db, forms);
  await createAsides(db, forms);
}

/** Whether an intent was set for a position that was open then; and what was written of a life is found by it. */
async function second(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable("intents").addColumn("set_for", "text").execute();
  await db.schema.createIndex("entries_by_life").on("entries").columns(["life_id", "id"]).execute();
}

/** What the two engines call the same thing. */
interface Forms {
  readonly kind: "sqlite" | "postgres";
  /** Of milliseconds since 1970: SQLite's integers are wide enough by themselves. */
  readonly moment: "integer" | "bigint";
  readonly create: (table: CreateTableBuilder<string, string>) => Promise<void>;
}

function formsOf(kind: "sqlite" | "postgres"): Forms {
  return {
    kind,
    moment: kind === "sqlite" ? "integer" : "bigint",
    // Strict: SQLite itself then refuses what is no text and no whole number.
    create: (table) => (kind === "sqlite" ? table.modifyEnd(sql`strict`) : table).execute(),
  };
}

type Column = Parameters<Parameters<CreateTableBuilder<string, string>["addColumn"]>[2] & object>[0];

const notNull = (column: Column) => column.notNull();
const primary = (column: Column) => column.notNull().primaryKey();

async function createLives(db: Kysely<Tables>, { moment, create }: Forms): Promise<void> {
  await create(
    db.schema
      .createTable("lives")
      .addColumn("id", "text", primary)
      .addColumn("account", "text", notNull)
      .addColumn("category", "text", notNull)
      .addColumn("symbol", "text", notNull)
      .addColumn("position_idx", "integer", notNull)
      .addColumn("side", "text", notNull)
      .addColumn("opened_at_ms", moment)
      .addColumn("first_seen_ms", moment, notNull)
      .addColumn("ended_ms", moment)
      .addColumn("ended_how", "text")
      .addColumn("record", "text", notNull),
  );
  await db.schema.createIndex("lives_open").on("lives").columns(["account", "ended_ms"]).execute();
}

async function createEntries(db: Kysely<Tables>, { kind, moment, create }: Forms): Promise<void> {
  const numbered = (column: Column) =>
    kind === "sqlite" ? column.primaryKey().autoIncrement() : column.generatedAlwaysAsIdentity().primaryKey();
  await create(
    db.schema
      .createTable("entries")
      .addColumn("id", moment, numbered)
      .addColumn("at_ms", moment, notNull)
      .addColumn("kind", "text", notNull)
      .addColumn("account", "text")
      .addColumn("category", "text")
      .addColumn("symbol", "text")
      .addColumn("position_idx", "integer")
      .addColumn("side", "text")
      .addColumn("life_id", "text")
      .addColumn("body", "text", notNull),
  );
  await db.schema.createIndex("entries_by_account").on("entries").columns(["account", "symbol", "id"]).execute();
  await db.schema.createIndex("entries_by_symbol").on("entries").columns(["symbol", "id"]).execute();
  await db.schema.createIndex("entries_by_kind").on("entries").columns(["kind", "id"]).execute();
}

async function createIntents(db: Kysely<Tables>, { moment, create }: Forms): Promise<void> {
  await create(
    db.schema
      .createTable("intents")
      .addColumn("id", "text", primary)
      .addColumn("account", "text", notNull)
      .addColumn("category", "text", notNull)
      .addColumn("symbol", "text", notNull)
      .addColumn("position_idx", "integer", notNull)
      .addColumn("side", "text", notNull)
      .addColumn("stop_loss", "text")
      .addColumn("take_profit", "text")
      .addColumn("waiver", "text")
      .addColumn("order_link_id", "text")
      .addColumn("ttl_ms", moment, notNull)
      .addColumn("may_loosen_from", "text")
      .addColumn("created_at_ms", moment, notNull)
      .addColumn("state", "text", notNull)
      .addColumn("life_id", "text")
      .addColumn("ended_how", "text")
      .addColumn("who", "text", notNull),
  );
  await db.schema.createIndex("intents_by_state").on("intents").columns(["account", "state"]).execute();
}

async function createAsides(db: Kysely<Tables>, { moment, create }: Forms): Promise<void> {
  await create(
    db.schema
      .createTable("left_alone")
      .addColumn("account", "text", notNull)
      .addColumn("order_id", "text", notNull)
      .addColumn("reason", "text", notNull)
      .addColumn("at_ms", moment, notNull)
      .addPrimaryKeyConstraint("left_alone_orders", ["account", "order_id"]),
  );
}
