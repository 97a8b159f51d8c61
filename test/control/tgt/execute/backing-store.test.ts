import { describe, expect, it } from "vitest";
import {
  nothing,
  storeOf,
  STORE_TYPES,
  volumeOf,
} from "../../../../src/control/tgt/execute/backing-store.ts";
import { newLogicalUnit } from "../../../../src/control/tgt/tgt-command-lun.ts";

function store(text: string): unknown {
  const unit = newLogicalUnit(text, 0);
  if (unit === null) throw new Error(`${text} is no unit`);
  return storeOf(unit);
}

describe("backing stores", () => {
  it.each([
    ["path=/a", { type: "rdwr", flags: "" }],
    ["path=/a,bsoflags=direct:sync", { type: "rdwr", flags: "sync:direct" }],
    ["path=/a,bstype=aio", { type: "aio", flags: "" }],
    ["path=p/v,bstype=thin,bsoflags=sync", { type: "thin", flags: "sync" }],
  ])("of %s are %j", (text, expected) => {
    expect(store(text)).toEqual(expected);
  });

  it.each(["bstype=sg", "bstype=ssc", "bstype=aio,bsoflags=direct", "bstype=null,bsoflags=sync"])(
    "are not built in: %s",
    (text) => {
      expect(() => store(text)).toThrow(expect.objectContaining({ refusal: "invalid-request" }));
    },
  );

  it("are shown in tgt's order", () => {
    expect(STORE_TYPES.map(({ name }) => name)).toEqual(["null", "rdwr", "aio", "thin"]);
  });
});

describe("volumes behind a path", () => {
  it("are files, past the page cache where that is asked for", () => {
    expect(volumeOf("rdwr", "/srv/../srv/a", "")).toMatchObject({
      name: "/srv/a",
      config: { driver: "raw", path: "/srv/a", direct: false, create: false },
    });
    expect(volumeOf("rdwr", "/a", "sync:direct").config).toMatchObject({ direct: true });
    expect(volumeOf("aio", "/a", "").config).toMatchObject({ direct: true });
    expect(volumeOf("rdwr", "a", "").name).toBe(`${process.cwd()}/a`);
  });

  it("are volumes of a pool", () => {
    const { name, config } = volumeOf("thin", "tank/disk", "");
    expect(name).toBe("tank/disk");
    expect(config).toMatchObject({ driver: "thin", pool: "tank", name: "disk" });
    for (const path of ["tank", "tank/", "/disk", "a/b/c"]) {
      expect(() => volumeOf("thin", path, "")).toThrow(/POOL\/VOLUME/);
    }
  });

  it("are nothing", () => {
    expect(volumeOf("null", "/whatever", "")).toEqual(nothing());
    expect(volumeOf("rdwr", "", "")).toEqual(nothing());
  });
});
