import { describe, expect, it } from "vitest";
import { newLogicalUnit } from "../../../src/control/tgt/tgt-command-lun.ts";

describe("a new logical unit", () => {
  it.each([
    ["path=/a,path=/b", { path: "/b" }],
    ["path=/a,path=", { path: "/a" }],
    ["path", { path: undefined }],
    [" path=/a", { path: undefined }],
    ["bstype=thin,path=pool/volume", { path: "pool/volume", backingStoreType: "thin" }],
    ["bstype=", { backingStoreType: undefined }],
    ["bsoflags=direct:sync", { sync: true, direct: true }],
    ["bsoflags=syncx", { sync: true, direct: false }],
    ["bsoflags=:", { sync: false, direct: false }],
    ["blocksize=0x200", { blockSizeBytes: 512 }],
    ["blocksize=512x", { blockSizeBytes: 512 }],
    ["blocksize=abc", { blockSizeBytes: undefined }],
    ["blocksize=-512", { blockSizeBytes: undefined }],
    [undefined, { path: undefined, deviceType: 0 }],
  ])("is read from %j", (text, unit) => {
    expect(newLogicalUnit(text, 0)).toMatchObject(unit);
  });

  it.each(["bstype=RDWR", "bstype=rdw", "bsoflags=foo", "bsoflags=sync:foo"])(
    "is not read from %s",
    (text) => {
      expect(newLogicalUnit(text, 0)).toBeNull();
    },
  );

  it("is of a type that there is", () => {
    expect(newLogicalUnit("", 5)).toMatchObject({ deviceType: 5 });
    expect(newLogicalUnit("", 2)).toBeNull();
  });
});
