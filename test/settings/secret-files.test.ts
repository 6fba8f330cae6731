/** Which secret files are read: those that nobody else can read, also in the forms that Docker and Kubernetes mount. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { loadSettings } from "../../src/settings/index.js";
import { ACCOUNT, CANARY_SECRET, ENV, folder, STOP } from "./folder.js";

const isRoot = process.getuid?.() === 0;
const SOMEBODY = 12_345;
const CONFIG = `${ACCOUNT.replace("${MAIN_SECRET}", "file:mount/secret")}${STOP}`;

interface Mount {
  readonly path: string;
  /** The secret as it is read, or the refusal. */
  read(): Promise<string>;
}

function mount(content = CANARY_SECRET): Mount {
  const cwd = folder({ "config/backstop.yaml": CONFIG, "config/mount/secret": content });
  return {
    path: join(cwd, "config/mount"),
    read: async () => {
      try {
        const { accounts } = await loadSettings({ file: undefined, env: ENV, cwd });
        return accounts[0]?.secret ?? "no account";
      } catch (error) {
        return error instanceof Error ? error.message : "no error";
      }
    },
  };
}

describe("the owner of a secret file", () => {
  test("is this user", async () => {
    expect(await mount().read()).toBe(CANARY_SECRET);
  });

  // A file of root's is fine for everybody; for root the same is shown beside the other refusals, with chown.
  test.skipIf(isRoot)("must not be another user", async () => {
    const { read } = mount();
    const owner = process.getuid?.();
    vi.spyOn(process, "getuid").mockReturnValue(SOMEBODY);
    expect(await read()).toContain(`owned by user ${owner}; it must belong to user ${SOMEBODY} or to root`);
  });

  test.skipIf(!isRoot)("may be root while the program runs as somebody else (needs root to prepare)", async () => {
    const { read } = mount();
    vi.spyOn(process, "getuid").mockReturnValue(SOMEBODY);
    expect(await read()).toBe(CANARY_SECRET);
  });

  test.skipIf(!isRoot)(
    "may share it with a group, as Kubernetes does with fsGroup (needs root to prepare)",
    async () => {
      const { path, read } = mount();
      chownSync(join(path, "secret"), 0, SOMEBODY);
      chmodSync(join(path, "secret"), 0o440);
      vi.spyOn(process, "getuid").mockReturnValue(SOMEBODY);
      expect(await read()).toBe(CANARY_SECRET);
    },
  );

  test.skipIf(!isRoot)("is the target's owner where the file is a symlink (needs root to prepare)", async () => {
    const { path, read } = mount();
    writeFileSync(join(path, "theirs"), CANARY_SECRET, { mode: 0o600 });
    chownSync(join(path, "theirs"), SOMEBODY, SOMEBODY);
    renameSync(join(path, "secret"), join(path, "ours"));
    symlinkSync("theirs", join(path, "secret"));
    expect(await read()).toContain(`owned by user ${SOMEBODY}`);
  });
});

describe("a symlink", () => {
  test("to a file that others can read is judged by the file", async () => {
    const { path, read } = mount();
    renameSync(join(path, "secret"), join(path, "open"));
    chmodSync(join(path, "open"), 0o644);
    symlinkSync("open", join(path, "secret"));
    expect(await read()).toContain("mode 0644, open to others; chmod 600 or 640 closes it");
  });

  test("chain of a Kubernetes mount is followed, and again after the mount was swapped", async () => {
    const { path, read } = mount();
    const version = (name: string, content: string) => {
      mkdirSync(join(path, name), { mode: 0o755 });
      writeFileSync(join(path, name, "secret"), content, { mode: 0o640 });
    };
    version("..2026_01_01", "first-secret");
    version("..2026_02_02", "second-secret");
    symlinkSync("..2026_01_01", join(path, "..data"));
    renameSync(join(path, "secret"), join(path, "unused"));
    symlinkSync(join("..data", "secret"), join(path, "secret"));
    expect(await read()).toBe("first-secret");
    symlinkSync("..2026_02_02", join(path, "..data_tmp"));
    renameSync(join(path, "..data_tmp"), join(path, "..data"));
    expect(await read()).toBe("second-secret");
  });

  test.each([
    ["out of its folder, to a file of ours", "../outside"],
    ["out of its folder by an absolute path", "absolute"],
    ["out of its folder by way of a link in it", "inner"],
  ])("that leads %s is refused, and what it leads to is not told", async (_what, target) => {
    const { path, read } = mount();
    const outside = join(path, "../outside");
    writeFileSync(outside, "somebody-elses-secret", { mode: 0o600 });
    symlinkSync(outside, join(path, "inner"));
    renameSync(join(path, "secret"), join(path, "unused"));
    symlinkSync(target === "absolute" ? outside : target, join(path, "secret"));
    const refused = await read();
    expect(refused).toContain("a link that leads out of its folder; name the file that it leads to");
    expect(refused).not.toContain("somebody-elses-secret");
  });

  test("as the folder of the secret itself is followed, as secret stores mount it", async () => {
    const { path, read } = mount();
    renameSync(path, join(path, "../generation-1"));
    symlinkSync("generation-1", path);
    expect(await read()).toBe(CANARY_SECRET);
  });

  test("to nothing is refused", async () => {
    const { path, read } = mount();
    renameSync(join(path, "secret"), join(path, "unused"));
    symlinkSync("gone", join(path, "secret"));
    expect(await read()).toContain("cannot be read");
  });
});

describe("what is no secret file", () => {
  test("(too large) is refused", async () => {
    expect(await mount("s".repeat(65_537)).read()).toContain("which is no small plain file");
  });

  test.skipIf(process.platform === "win32")("(a pipe without a writer) is refused instead of waited for", async () => {
    const { path, read } = mount();
    renameSync(join(path, "secret"), join(path, "unused"));
    spawnSync("mkfifo", ["-m", "600", join(path, "secret")]);
    expect(await read()).toContain("which is no small plain file");
  });
});
