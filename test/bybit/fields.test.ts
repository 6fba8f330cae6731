/** What is said of a value that cannot be read. */
import { expect, test } from "vitest";
import { UnreadableField } from "../../src/exchange/bybit/fields.js";

const told = (value: unknown): string => new UnreadableField("side", value).message;

test.each<readonly [string, unknown, string]>([
  ["that it is missing", undefined, "side is missing"],
  ["a short one as it is", "Both", 'side is "Both"'],
  ["a number as it is", 3, "side is 3"],
  ["nothing of a list", ["Buy"], "side is a list"],
  ["nothing of an object", { side: "Buy" }, "side is an object"],
])("tells %s", (_what, value, expected) => {
  expect(told(value)).toBe(expected);
});

test("tells no part of a long one: of a secret cut in two the last scrub would know neither half", () => {
  const secret = "CANARYSECRETabcdef0123456789abcdef01";
  expect(told(`zzzz${secret}`)).toBe("side is a value of 42 characters");
  expect(told(secret)).toContain(secret);
});
