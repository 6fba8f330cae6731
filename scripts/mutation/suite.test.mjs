/** The tests that can notice a mutant of a room, as one file, so that each mutant costs one import. */
import { expect, test } from "vitest";

const files = import.meta.glob("../../test/{policy,assess,plan,apply,verify,pass}/*.test.ts");
/** Each room knows only those before it, and so do its tests. */
const ROOMS = ["policy", "assess", "plan", "apply", "verify", "pass"];
const room = process.env.MUTATED_ROOM ?? ROOMS[0];

const roomOf = (path) => ROOMS.findIndex((name) => path.includes(`/test/${name}/`));

/** Examples of the room itself, then of its neighbours, whole passes, and at last properties, which take longest. */
const rank = (path) => {
  if (path.endsWith(".property.test.ts")) return 3;
  if (path.includes("/test/pass/")) return 2;
  return path.includes(`/test/${room}/`) ? 0 : 1;
};

const paths = Object.keys(files)
  .filter((path) => roomOf(path) >= ROOMS.indexOf(room))
  .sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
for (const path of paths) await files[path]();

test("there is something to run", () => {
  expect(paths.length).toBeGreaterThan(0);
});
