/** From an account's settings to a connected exchange edge. */
import { connectBybit, createIpBudget, type BybitSession, type IpBudget } from "../exchange/bybit/index.js";
import { systemClock } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import type { Context } from "./context.js";
import { Refusal } from "./exit.js";

export interface Connected {
  readonly account: AccountSettings;
  readonly session: BybitSession;
}

/** One session per account; all share the address's request budget. */
export function connectAll({ settings, log, console }: Context): readonly Connected[] {
  if (process.env["BYBITTRACE"]) {
    throw new Refusal("BYBITTRACE is set, which makes the SDK print signed requests; unset it and start again");
  }
  const ipBudget = createIpBudget(settings.budget.ipShare);
  return settings.accounts.map((account) => ({ account, session: connect(account) }));

  function connect(account: AccountSettings): BybitSession {
    return openSession(account, ipBudget, {
      budget: settings.budget,
      log: ({ level, message, ...facts }) => log[level]({ account: account.name, ...facts }, message),
      progress: (text) => console.progress(`${account.name}: ${text}`),
    });
  }
}

type Reporting = Pick<Parameters<typeof connectBybit>[0], "budget" | "log" | "progress">;

function openSession(account: AccountSettings, ipBudget: IpBudget, reporting: Reporting): BybitSession {
  const { name, environment, region, restUrl, key, secret, categories } = account;
  return connectBybit({
    account: name,
    environment,
    region,
    ...(restUrl === undefined ? {} : { restUrl }),
    key,
    secret,
    categories,
    ipBudget,
    clock: systemClock,
    ...reporting,
  });
}
