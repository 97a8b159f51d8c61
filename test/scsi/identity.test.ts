import { describe, expect, it } from "vitest";
import { identityOf } from "../../src/scsi/identity.ts";

describe("identityOf", () => {
  it("follows from the UUID alone", () => {
    const uuid = "00000000-0000-4000-8000-000000000001";
    expect(identityOf(uuid, {})).toEqual(identityOf(uuid, {}));
    const other = identityOf("00000000-0000-4000-8000-000000000002", {});
    expect(Buffer.from(identityOf(uuid, {}).naa).equals(other.naa)).toBe(false);
    expect((other.naa[0] ?? 0) >>> 4).toBe(3);
    expect(other.naa.length).toBe(8);
  });

  it("asserts that what was set fits", () => {
    expect(() => identityOf("u", { vendor: "NINE CHAR" })).toThrow("vendor");
    expect(() => identityOf("u", { product: "x".repeat(17) })).toThrow("product");
    expect(() => identityOf("u", { revision: "" })).toThrow("revision");
    expect(() => identityOf("u", { serial: "tab\there" })).toThrow("serial");
  });
});
