import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { busName, hostOfBus } from "../../../../src/cli/tgt/tgtadm/bus.ts";

// A bus of our own, by a way out of the system's folder of them.
const folder = mkdtempSync(join(tmpdir(), "thinlun-bus-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bus = `../..${folder}`;

for (const name of ["one/host5", "some/host3", "some/host7x", "odd/host1", "odd/hostless"]) {
  mkdirSync(join(folder, "devices", name), { recursive: true });
}
mkdirSync(join(folder, "devices/empty"));
mkdirSync(join(folder, "devices/none/ghost"), { recursive: true });

describe("the host of a bus", () => {
  it.each([
    ["one", 5],
    ["some", 7],
    ["odd", 0],
    ["empty", 0xffff_fffe],
    ["none", undefined],
    ["missing", undefined],
  ])("of a device with %s entries", (device, host) => {
    expect(hostOfBus(`${bus},${device}`)).toBe(host);
  });

  it("is a wrong number where the word has no comma", () => {
    expect(hostOfBus("pci")).toBe(0xffff_ffea);
  });

  it("is named by its bus", () => {
    expect(busName("pci,0000:00:1f.2,x")).toBe("pci");
    expect(busName(",")).toBe("");
  });
});
