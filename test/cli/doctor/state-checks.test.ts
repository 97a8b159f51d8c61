import { describe, expect, it } from "vitest";
import { checkFileSystem, checkStateFolder } from "../../../src/cli/doctor/state-checks.ts";
import { hostWith } from "./support.ts";

describe("the state folder", () => {
  it.each([
    [null, "ok"],
    [{ mode: 0o700, uid: 0, isFolder: true }, "ok"],
    [{ mode: 0o750, uid: 0, isFolder: true }, "warn"],
    [{ mode: 0o701, uid: 0, isFolder: true }, "warn"],
    [{ mode: 0o700, uid: 7, isFolder: true }, "fail"],
    [{ mode: 0o600, uid: 0, isFolder: false }, "fail"],
  ])("as %j is %s", async (facts, level) => {
    const host = hostWith({ factsOf: () => Promise.resolve(facts) });
    const finding = await checkStateFolder(host);
    expect(finding).toMatchObject({ check: "state", level });
    expect(finding.fix === null).toBe(level === "ok");
  });
});

describe("its file system", () => {
  const levels = async (
    type: string,
    direct: boolean,
    holes: "work" | "unsupported" | "untried",
  ): Promise<string[]> => {
    const host = hostWith({ fileSystemOf: () => Promise.resolve({ type, direct, holes }) });
    return (await checkFileSystem(host)).map(({ check, level }) => `${check} ${level}`);
  };

  it("may be good for everything", async () => {
    expect(await levels("ext4", true, "work")).toEqual([
      "durability ok",
      "direct-io ok",
      "holes ok",
    ]);
  });

  it("may forget", async () => {
    expect(await levels("tmpfs", true, "work")).toContain("durability warn");
    expect(await levels("nfs4", true, "work")).toContain("durability warn");
  });

  it("may be without direct I/O or holes", async () => {
    expect(await levels("ext4", false, "unsupported")).toEqual([
      "durability ok",
      "direct-io warn",
      "holes warn",
    ]);
    expect(await levels("ext4", true, "untried")).toContain("holes warn");
  });
});
