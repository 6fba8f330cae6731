/** The exits for one order, from one look at its account. */
import { createIpBudget } from "../exchange/bybit/index.js";
import type { QuoteAnswer, QuoteRequest } from "../http/desk.js";
import { compilePolicy } from "../policy/resolve.js";
import { readKnown } from "./books/reading.js";
import { connectOne } from "./connect.js";
import type { Ground } from "./ground.js";
import { quoteFrom } from "./run/quote.js";

/** The account is one of the settings. @throws StartRefused */
export async function quoteOnce(ground: Ground, request: QuoteRequest): Promise<QuoteAnswer> {
  const { settings, log } = ground;
  const account = settings.accounts.find(({ name }) => name === request.account);
  if (account === undefined) throw new RangeError(`no such account: ${request.account}`);
  const { session } = connectOne(account, ground, "read", { ipBudget: createIpBudget(settings.budget.ipShare) });
  try {
    const known = await readKnown(settings.ledger.url, [account.name], log);
    const { reader } = session;
    return await quoteFrom(request, { reader, policyOf: compilePolicy(settings.policy), ...known });
  } finally {
    await session.close();
  }
}
