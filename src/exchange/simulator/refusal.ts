/** How the simulated exchange says no: a retCode and its text, as a business error in an HTTP 200 answer. */

export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly retCode: number,
    readonly retMsg: string,
  ) {
    super(`${retCode} ${retMsg}`);
  }
}

/** 10001 is the exchange's catch-all: only the text tells the cases apart. */
export const invalid = (text: string): Refusal => new Refusal(10001, text);
export const invalidParameter = (name: string): Refusal => invalid(`params error: ${name} invalid`);

/** A control request that makes no sense; never sent on the exchange's own wire. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}
