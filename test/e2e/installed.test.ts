/** The program as it is installed, file by file: the other end-to-end tests start it gathered into a few files. */
import { expect, test } from "vitest";
import { INSTALLED, reportIn } from "./cli.js";
import { openBook, openStage } from "./stage.js";

test("finds what is naked, protects it, proves it, and remembers", { timeout: 60_000 }, async (context) => {
  const stage = await openStage(context);
  openBook(stage);
  const installed = (...args: readonly string[]) => stage.backstop(args, {}, { program: INSTALLED });
  expect((await installed("doctor")).code).toBe(0);
  const found = await installed("audit", "--format", "json");
  expect(found.code).toBe(2);
  expect(reportIn(found).summary.protected).toBe(1);
  const done = await installed("protect", "--format", "json");
  expect(done.code).toBe(0);
  expect(reportIn(done).summary).toMatchObject({ protected: 3, confirmed: 2 });
  const { code, stdout } = await installed("history", "--stops", "--format", "json");
  expect(code).toBe(0);
  expect(stdout).toContain("confirmed");
});
