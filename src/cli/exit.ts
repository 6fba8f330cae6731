/** How a command ends other than by its result: refusals that a person can act on. */

/** sysexits.h EX_USAGE: wrong usage or config. */
export const USAGE = 64;

/** Ends the command with an exit code and one message, without a stack trace. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = USAGE) {
    super(message);
    this.exitCode = exitCode;
  }
}
