/** All tests of the decision core as one file, so that a mutant costs one import; what finds most comes first. */
import { expect, test } from "vitest";

const files = import.meta.glob("../../test/{assess,plan,policy,apply,verify,pass}/*.test.ts");
const room = process.env.MUTATED_ROOM ?? "";

/** Examples of the room itself, then of its neighbours, whole passes, and at last properties, which take longest. */
const rank = (path) => {
  if (path.endsWith(".property.test.ts")) return 3;
  if (path.includes("/test/pass/")) return 2;
  return path.includes(`/test/${room}/`) ? 0 : 1;
};

const paths = Object.keys(files).sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
for (const path of paths) await files[path]();

test("there is something to run", () => {
  expect(paths.length).toBeGreaterThan(0);
});
