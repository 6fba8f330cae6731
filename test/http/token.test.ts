/** The token file: made when absent, refused when others can read it, and never shown. */
import crypto from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { bearerToken, openToken, sameToken, TokenFileError } from "../../src/http/index.js";
import { scrub } from "../../src/runtime/index.js";
import { folder } from "../settings/folder.js";

const GIVEN = "Given-token_0000000000000000000000000000001";

describe("the token file", () => {
  test("is made with 256 random bits, for us alone, in a folder for us alone", async () => {
    const file = join(folder({}), "state/deeper/token");
    const token = await openToken(file);
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(join(file, "../..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(file, ".."))).toEqual(["token"]);
  });

  test("is another one each time it is made, and the same each time it is read", async () => {
    const path = folder({});
    const first = await openToken(join(path, "one"));
    expect(await openToken(join(path, "one"))).toBe(first);
    expect(await openToken(join(path, "two"))).not.toBe(first);
  });

  test("is one file for all who start at the same time", async () => {
    const path = folder({});
    const tokens = await Promise.all(Array.from({ length: 8 }, () => openToken(join(path, "state/token"))));
    expect(new Set(tokens).size).toBe(1);
    expect(readdirSync(join(path, "state"))).toEqual(["token"]);
  });

  test("is taken as it stands when it was there, by its group too, and through a mounted link", async () => {
    const path = folder({ "..data/token": `${GIVEN}\n` }, { "..data/token": 0o640 });
    symlinkSync(join(path, "..data/token"), join(path, "token"));
    expect(await openToken(join(path, "token"))).toBe(GIVEN);
  });

  test.each([0o644, 0o604, 0o660, 0o620])("is refused with mode %o, which others can use", async (mode) => {
    const file = join(folder({ token: GIVEN }, { token: mode }), "token");
    const refused = openToken(file);
    await expect(refused).rejects.toThrow(TokenFileError);
    await expect(refused).rejects.toThrow(
      /^http\.tokenFile names .* open to others; chmod 600 or 640 closes it; delete/,
    );
    expect(readFileSync(file, "utf8")).toBe(GIVEN);
  });

  test.each([
    { title: "a guessable token", text: "letmein" },
    { title: "two lines", text: `${GIVEN}\n${GIVEN}` },
    { title: "letters that no header can carry", text: "ü".repeat(43) },
    { title: "a blank in it", text: `${GIVEN} ${GIVEN}` },
    { title: "nothing", text: "\n" },
  ])("is refused with $title", async ({ text }) => {
    const file = join(folder({ token: text }), "token");
    const refused = openToken(file);
    await expect(refused).rejects.toThrow(TokenFileError);
    await expect(refused).rejects.not.toThrow(GIVEN);
    await expect(refused).rejects.toThrow(/; delete the file, and a new token is made at the next start$/);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("is not made at the far end of a link", async () => {
    const path = folder({});
    symlinkSync(join(path, "elsewhere"), join(path, "token"));
    await expect(openToken(join(path, "token"))).rejects.toThrow("cannot be read");
    expect(existsSync(join(path, "elsewhere"))).toBe(false);
    expect(readdirSync(path)).toEqual(["token"]);
  });

  test("is refused where a folder stands, or where none can be made", async () => {
    const path = folder({ file: "x" });
    mkdirSync(join(path, "token"));
    await expect(openToken(join(path, "token"))).rejects.toThrow("no small plain file");
    await expect(openToken(join(path, "file/token"))).rejects.toThrow(TokenFileError);
  });

  test("is hidden in everything that is printed from then on, also when it is unfit", async () => {
    const path = folder({ given: GIVEN, unfit: "Unfit token 1" });
    const made = await openToken(join(path, "made"));
    await openToken(join(path, "given"));
    await expect(openToken(join(path, "unfit"))).rejects.toThrow(TokenFileError);
    const text = `${made} ${GIVEN} Unfit token 1`;
    expect(scrub(text)).toBe("[secret] [secret] [secret]");
  });

  test("keeps the folder that was there as it is", async () => {
    const path = folder({});
    mkdirSync(join(path, "state"));
    chmodSync(join(path, "state"), 0o750);
    writeFileSync(join(path, "state/other"), "x");
    await openToken(join(path, "state/token"));
    expect(statSync(join(path, "state")).mode & 0o777).toBe(0o750);
  });
});

describe("an offered token", () => {
  test.each([
    ["Bearer abc", "abc"],
    ["bearer  abc ", "abc"],
    ["Bearer a+/=", "a+/="],
    ["Bearer", null],
    ["Bearer ", null],
    ["Bearer a b", null],
    ["Basic abc", null],
    ["abc", null],
    ["", null],
    [undefined, null],
  ])("in %j is %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  test("is compared in a time that depends neither on where it differs nor on its length", () => {
    const compare = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    onTestFinished(() => {
      compare.mockRestore();
      syncBuiltinESMExports();
    });
    const offered = [GIVEN, `${GIVEN.slice(0, -1)}x`, `x${GIVEN.slice(1)}`, "x", "x".repeat(10_000)];
    for (const one of offered) sameToken(one, GIVEN);
    const lengths = compare.mock.calls.flatMap(([first, second]) => [first.byteLength, second.byteLength]);
    expect(lengths).toEqual(offered.flatMap(() => [32, 32]));
  });

  test("is the token only when it is the whole token", () => {
    expect(sameToken(GIVEN, GIVEN)).toBe(true);
    for (const other of ["", "x", GIVEN.slice(1), GIVEN.slice(0, -1), `${GIVEN}x`, GIVEN.toLowerCase(), `${GIVEN}\0`]) {
      expect(sameToken(other, GIVEN)).toBe(false);
    }
  });
});
