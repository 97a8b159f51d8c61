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

  it("carries the pages 80h and 83h of elsewhere as they are, in memory of its own", () => {
    const serialField = Buffer.from("   S1");
    const designators = Buffer.from("02010003414243" + "01030000", "hex");
    const identity = identityOf("u", { serialField, designators });
    serialField.fill(0);
    designators.fill(0);
    expect(Buffer.from(identity.serialField).toString()).toBe("   S1");
    expect(Buffer.from(identity.designators ?? []).toString("hex")).toBe("0201000341424301030000");
    const own = identityOf("u", { serial: "S2" });
    expect([Buffer.from(own.serialField).toString(), own.designators]).toEqual(["S2", null]);
  });

  it.each([
    ["nothing", ""],
    ["half a header", "020100"],
    ["one that reaches past the end", "0201000341"],
    ["a rest behind the last one", "0201000141" + "02"],
    ["too many", "01030000".repeat(257)],
  ])("takes no designators that are %s", (_what, hex) => {
    const designators = Buffer.from(hex, "hex");
    expect(() => identityOf("u", { designators })).toThrow("well formed");
  });

  it.each(["", "a\n", "x".repeat(65)])("takes no page 80h that holds %j", (text) => {
    const serialField = Buffer.from(text);
    expect(() => identityOf("u", { serialField })).toThrow("holds text");
  });
});
