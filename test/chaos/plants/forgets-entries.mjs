/** A planted bug: what was written last before a death is not there afterwards. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";

const file = join(process.cwd(), "state", "backstop.db");
if (existsSync(file)) {
  const database = new Libsql(file);
  database.exec("delete from entries where id > (select max(id) - 3 from entries)");
  database.close();
}
