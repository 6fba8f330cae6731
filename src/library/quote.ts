/** The exits for an order, for programs that run no sidecar of their own. */
import type { QuoteRequest } from "../http/desk.js";
import { quoteOnce } from "../service/quote.js";
import { type QuoteAnswer, quoteAnswer, readQuote } from "./asking.js";
import { fitting } from "./fitting.js";
import { begin, type Options } from "./options.js";

export interface QuoteOptions extends Options {
  /** Opens or grows a position; for a reduce-only order there is nothing to ask. */
  readonly order: QuoteRequest;
}

/**
 * The exits to send along with an order: as the position that it opens would get them, and never looser than the stop
 * that stands. It reads anew and writes nothing; a running sidecar answers faster (`RunningSidecar.quote`).
 *
 * @throws SettingsError for a config that does not fit
 * @throws StartRefused where the process is set up such that secrets would leak
 */
export async function quote(given: QuoteOptions): Promise<QuoteAnswer> {
  const { order, ...options } = fitting(given, ["order"]);
  const ground = await begin(options);
  const names = ground.settings.accounts.map(({ name }) => name);
  const request = readQuote(order, names);
  if (request.kind === "unfit") return { ...request, kind: "none" };
  return quoteAnswer(await quoteOnce(ground, request.value));
}
