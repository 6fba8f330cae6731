/** The tables as columns: text, whole numbers and null only, alike in SQLite and PostgreSQL. */
import type { Generated, Kysely, Selectable } from "kysely";

/** A position's place; `side` tells two lives of a one-way position apart. */
interface PlaceColumns {
  readonly account: string;
  readonly category: string;
  readonly symbol: string;
  readonly position_idx: number;
  readonly side: string;
}

export interface LifeColumns extends PlaceColumns {
  readonly id: string;
  readonly opened_at_ms: number | null;
  readonly first_seen_ms: number;
  readonly ended_ms: number | null;
  readonly ended_how: string | null;
  /** JSON: what is remembered of it, prices as decimal text. */
  readonly record: string;
}

export interface EntryColumns {
  readonly id: Generated<number>;
  readonly at_ms: number;
  readonly kind: string;
  readonly account: string | null;
  readonly category: string | null;
  readonly symbol: string | null;
  readonly position_idx: number | null;
  readonly side: string | null;
  readonly life_id: string | null;
  /** JSON. */
  readonly body: string;
}

export interface IntentColumns extends PlaceColumns {
  readonly id: string;
  /** Decimal text. */
  readonly stop_loss: string | null;
  readonly take_profit: string | null;
  /** JSON. */
  readonly waiver: string | null;
  readonly order_link_id: string | null;
  readonly ttl_ms: number;
  /** Decimal text. */
  readonly may_loosen_from: string | null;
  readonly created_at_ms: number;
  readonly state: string;
  readonly life_id: string | null;
  readonly ended_how: string | null;
  readonly who: string;
  /** JSON; null where an older version has set it. Not there in tables of the first version, which may be read. */
  readonly set_for: string | null;
}

export interface LeftAloneColumns {
  readonly account: string;
  readonly order_id: string;
  readonly reason: string;
  readonly at_ms: number;
}

export interface Tables {
  readonly schema_version: { readonly version: number };
  readonly lives: LifeColumns;
  readonly entries: EntryColumns;
  readonly intents: IntentColumns;
  readonly left_alone: LeftAloneColumns;
}

export type Database = Kysely<Tables>;
export type EntryRow = Selectable<EntryColumns>;
