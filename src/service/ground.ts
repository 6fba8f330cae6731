/** What everything that talks to an exchange stands on: settings, pauses, log. */
import { openPauses, type Pauses } from "../ledger/pauses.js";
import { type Log, registerSecret } from "../runtime/index.js";
import { secretsOf, type Settings } from "../settings/index.js";

export interface Ground {
  readonly settings: Settings;
  /** What somebody paused; asked right before every write. */
  readonly pauses: Pauses;
  readonly log: Log;
  /** What is being done just now, for who watches. */
  readonly progress: (text: string) => void;
}

/** From here on the secrets of the settings are hidden in whatever the log says. */
export function layGround({ settings, log, progress }: Pick<Ground, "settings" | "log" | "progress">): Ground {
  for (const secret of secretsOf(settings)) registerSecret(secret);
  const pauses = openPauses(settings.stateDir);
  const damage = pauses.damage();
  if (damage !== null) log.error(damage);
  return { settings, pauses, log, progress };
}
