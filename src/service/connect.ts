/** From an account's settings to a connected exchange edge. */
import {
  type BybitConnection,
  type BybitReadSession,
  type BybitSession,
  connectBybit,
  connectBybitReadOnly,
  createIpBudget,
  type StreamConnection,
} from "../exchange/bybit/index.js";
import { systemClock } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import type { Ground } from "./ground.js";
import { refuseOpenWindows } from "./open-windows.js";
import { withoutRepeats } from "./repeats.js";

/** A session without `writer` cannot write: what audits is opened that way. */
export interface Connected {
  readonly account: AccountSettings;
  readonly session: BybitReadSession & Partial<Pick<BybitSession, "writer">>;
}

/** One session per account; all share the address's request budget. */
export function connectAll(ground: Ground, access: "read" | "write"): readonly Connected[] {
  const ipBudget = createIpBudget(ground.settings.budget.ipShare);
  return ground.settings.accounts.map((account) =>
    connectOne(account, ground, access, {
      ipBudget,
      progress: (text) => ground.progress(`${account.name}: ${text}`),
    }),
  );
}

export async function closeAll(connected: readonly Connected[]): Promise<void> {
  await Promise.all(connected.map(({ session }) => session.close()));
}

export function connectOne(
  account: AccountSettings,
  { settings, log }: Pick<Ground, "settings" | "log">,
  access: "read" | "write",
  more: Pick<BybitConnection, "ipBudget" | "progress" | "orderLists" | "openLines">,
): Connected {
  refuseOpenWindows(account);
  const open = access === "write" ? connectBybit : connectBybitReadOnly;
  const session = open({
    ...addressOf(account),
    ...more,
    clock: systemClock,
    budget: settings.budget,
    log: withoutRepeats(log, account.name, systemClock),
  });
  return { account, session };
}

type Address = Pick<
  BybitConnection,
  "account" | "environment" | "region" | "restUrl" | "key" | "secret" | "categories"
>;

function addressOf({ name, environment, region, restUrl, key, secret, categories }: AccountSettings): Address {
  const url = restUrl === undefined ? {} : { restUrl };
  return { account: name, environment, region, ...url, key, secret, categories };
}

type StreamAddress = Pick<
  StreamConnection,
  "account" | "environment" | "region" | "wsUrl" | "key" | "secret" | "categories"
>;

export function streamAddressOf(settings: AccountSettings): StreamAddress {
  const { name, environment, region, wsUrl, key, secret, categories } = settings;
  const url = wsUrl === undefined ? {} : { wsUrl };
  return { account: name, environment, region, ...url, key, secret, categories };
}
