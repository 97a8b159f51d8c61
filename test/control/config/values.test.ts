import { LineCounter, parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import { Report } from "../../../src/control/config/report.ts";
import type { Shape } from "../../../src/control/config/shape.ts";
import * as values from "../../../src/control/config/values.ts";

/** What a shape makes of a YAML text, or its first complaint. */
function read<T>(shape: Shape<T>, text: string): T | string {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const readSecretFile = () => ({ text: "", exposed: false });
  const report = new Report({ document, lines, folder: "/etc/thinlun", readSecretFile });
  const value = shape(document.contents, "key", report);
  return value ?? report.problems[0]?.message ?? "neither value nor complaint";
}

describe("values of the configuration", () => {
  it("sizes", () => {
    const size = values.size(512, 2 ** 20);
    expect(read(size, "1MiB")).toBe(2 ** 20);
    expect(read(size, "512")).toBe(512);
    expect(read(size, "511")).toMatch(/from 512 B to 1 MiB, not 511/);
    expect(read(size, "1e3")).toMatch(/"1e3" is not a size/);
    expect(read(size, "[1]")).toMatch(/must be a text, not a list/);
  });

  it("paths", () => {
    expect(read(values.filePath, "a/../b")).toBe("/etc/thinlun/b");
    expect(read(values.filePath, "/x")).toBe("/x");
    expect(read(values.filePath, '""')).toMatch(/must be a path/);
    expect(read(values.filePath, '"a\\0b"')).toMatch(/must be a path/);
  });

  it("names of targets and volumes", () => {
    expect(read(values.targetName, "IQN.2026-11.net.example:X")).toBe("iqn.2026-11.net.example:x");
    expect(read(values.targetName, "iqn.2026-13.x:y")).toMatch(/this is "iqn\.2026-13\.x:y"/);
    expect(read(values.volumeName, "disk-1.a_b")).toBe("disk-1.a_b");
    expect(read(values.volumeName, "0815")).toBe("0815");
    expect(read(values.volumeName, "../x")).toMatch(/letters, digits/);
    expect(read(values.volumeName, "x".repeat(64))).toMatch(/up to 63/);
  });

  it("uuids", () => {
    const uuid = "6FA459EA-EE8A-4CA4-894E-DB77E160355E";
    expect(read(values.uuid, uuid)).toBe(uuid.toLowerCase());
    expect(read(values.uuid, "6fa459ea")).toMatch(/must be a UUID/);
  });

  it("texts of INQUIRY data, as they were written", () => {
    expect(read(values.inquiryText(4), "0042")).toBe("0042");
    expect(read(values.inquiryText(4), "1.10")).toBe("1.10");
    expect(read(values.inquiryText(4), "12345")).toMatch(/1 to 4 printable/);
    expect(read(values.inquiryText(4), '"\\t"')).toMatch(/printable/);
  });

  it("endpoints", () => {
    expect(read(values.listenEndpoint, '"1.2.3.4:0"')).toEqual({ address: "1.2.3.4", port: 0 });
    expect(read(values.remoteEndpoint, '"1.2.3.4:0"')).toMatch(/from 1 to 65535/);
  });

  it("secrets, which no complaint repeats", () => {
    expect(String(read(values.secret, "hunter2"))).toBe("[redacted]");
    expect(read(values.secret, "1234567")).toBe("key: must be a text; put it in quotes");
  });
});
