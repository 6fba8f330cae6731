/** Why nothing was begun: something that a person can put right, and that trying again would not. */

/** A key that may do too much, an address that is not ours, a setting of the process that leaks secrets; the message says the cure. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
}
