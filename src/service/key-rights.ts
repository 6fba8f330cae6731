/** A key that may do more than protecting positions needs is not written with. */
import { excessRights, furtherRights, furtherText } from "../assess/account.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { Log } from "../runtime/index.js";
import type { KeyReading } from "./accounts.js";
import type { Connected } from "./connect.js";
import { StartRefused } from "./refused.js";

/** @throws StartRefused */
export function refuseStrongKey({ account }: Connected, key: KeyReading | undefined, log: Log): void {
  if (key === undefined || key instanceof ExchangeFailure) {
    log.warn({ account: account.name }, "the rights of the key are not known yet");
    return;
  }
  const excess = excessRights(key, account.allowPermissions);
  const further = furtherRights(key, account.allowPermissions);
  if (further.length > 0) log.info({ account: account.name }, furtherText(further));
  if (excess.length === 0) return;
  throw new StartRefused(
    `account ${account.name}: the key has the right ${excess.join(", ")}, which protecting positions never needs. ` +
      "Make a key with Contract Orders and Positions only, bound to this machine's address; " +
      "a transfer right (never Withdraw) can be accepted by name in allowPermissions.",
  );
}
