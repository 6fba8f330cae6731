/** What SQLite and PostgreSQL have to bring along for the one store that is written on top of both. */
import type { Dialect, DatabaseConnection } from "kysely";
import { bindable } from "./codec.js";
import type { Explain } from "./error.js";
import type { WriterLock } from "./port.js";
import type { Database } from "./tables.js";

export interface Engine {
  readonly kind: "sqlite" | "postgres";
  readonly db: Database;
  readonly explain: Explain;
  /** Runs one write as a whole; absent: each query is one. */
  readonly transact?: <T>(write: () => Promise<T>) => Promise<T>;
  /** Throws a LedgerError where what is written would be in no ledger any more; absent: that cannot happen. */
  readonly assertThere?: () => void;
  /** Absent: the driver itself waits for whoever holds the ledger. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Null: another process holds it. */
  lock(account: string): Promise<WriterLock | null>;
  close(): Promise<void>;
}

/** An engine that makes and changes nothing. */
export interface ReadingEngine extends Pick<Engine, "db" | "explain" | "close"> {
  /** True: it shows what stood when it was opened, and never what is written later. */
  readonly isSnapshot: boolean;
}

/** Written to when the ledger stops and begins again to take writes; pino's Logger is one. */
export interface LedgerLog {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** The dialect with every parameter of every query passed through the codec before a driver sees it. */
export function withCodec(dialect: Dialect): Dialect {
  const guarded = new WeakSet<DatabaseConnection>();
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async () => {
        const connection = await acquire();
        if (!guarded.has(connection)) guard(connection);
        guarded.add(connection);
        return connection;
      };
      return driver;
    },
  };
}

function guard(connection: DatabaseConnection): void {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async (query) =>
    execute({ ...query, parameters: query.parameters.map((parameter) => bindable(parameter)) });
}
