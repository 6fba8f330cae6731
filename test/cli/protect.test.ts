/** Whom `protect` asks before it sends: where somebody sits who could not see the question, it does not guess. */
import { expect, test } from "vitest";
import type { Console } from "../../src/cli/console.js";
import { protect, type ProtectOptions } from "../../src/cli/protect.js";

const console: Console = {
  out: () => undefined,
  err: () => undefined,
  progress: () => undefined,
  clearProgress: () => undefined,
  ask: () => Promise.resolve(true),
  outIsTerminal: false,
  isInteractive: false,
  isHalfInteractive: true,
  color: false,
  width: 80,
};
const options = { config: "/nowhere/backstop.yaml", dryRun: false, yes: false } as unknown as ProtectOptions;

test("protect with a terminal to read from and none to ask at is refused, and sends nothing", async () => {
  await expect(protect(options, console)).rejects.toMatchObject({
    exitCode: 64,
    message: "protect asks before it sends, and stderr is no terminal; allowed: --yes, or --dry-run.",
  });
});

test.each([{ yes: true }, { dryRun: true }])("unless it was told what to do: %j", async (choice) => {
  await expect(protect({ ...options, ...choice }, console)).rejects.toMatchObject({
    message: expect.not.stringContaining("asks before it sends") as string,
  });
});
