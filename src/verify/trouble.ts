/** What closes a whole account to our writes: its key, the key's rights, or a clock that the exchange will not accept. */
import type { Attempt } from "../apply/attempt.js";

/** So many writes in a row may be refused for the key's rights or the clock before the account is left alone. */
const MOST_REFUSALS = 3;

export interface AccountTrouble {
  readonly cause: "key" | "permission" | "clock";
  readonly detail: string;
}

const TROUBLES: Readonly<Record<AccountTrouble["cause"], string>> = {
  key: "the exchange refused the key",
  permission: "the key may not do this",
  clock: "the exchange does not accept our clock",
};

export function troubleText({ cause, detail }: AccountTrouble): string {
  return `${TROUBLES[cause]}: ${detail}`;
}

/** Some contracts need rights of their own, so a few refusals in a row are needed to tell. */
export function troubleIn(attempts: readonly Attempt[]): AccountTrouble | null {
  const answers = attempts
    .toSorted((one, other) => one.answeredAtMs - other.answeredAtMs)
    .map(({ answer }) => answer)
    .filter((answer) => answer.kind !== "not-sent" || answer.cause === "clock");
  const key = answers.map(troubleOf).find((trouble) => trouble?.cause === "key");
  const latest = answers.slice(-MOST_REFUSALS).map(troubleOf);
  const [first] = latest;
  const isHopeless = latest.length === MOST_REFUSALS && latest.every((one) => one?.cause === first?.cause);
  return key ?? (isHopeless ? (first ?? null) : null);
}

function troubleOf(answer: Attempt["answer"]): AccountTrouble | null {
  if (answer.kind !== "refused" && answer.kind !== "not-sent") return null;
  const { cause, detail } = answer;
  return cause === "key" || cause === "permission" || cause === "clock" ? { cause, detail } : null;
}
