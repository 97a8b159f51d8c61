import { LineCounter, parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import {
  ConfigError,
  describeFinding,
  pathOf,
  Report,
} from "../../../src/control/config/report.ts";

function reportOn(text: string): Report {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const readSecretFile = () => ({ text: "", exposed: false });
  return new Report({ document, lines, folder: "/", readSecretFile });
}

describe("Report", () => {
  it("tells the place of a value, or of the nearest enclosing one that was read", () => {
    const report = reportOn("a: 1\nb:\n  c: 2\n");
    const { document } = report.source;
    report.enter(document.contents, "");
    report.enter(document.get("b", true), "b");
    report.problem("b", "one");
    report.problem("b.c.d", "two");
    report.problem("x", "three");
    report.problem("", "four");
    expect(report.problems).toEqual([
      { line: 3, column: 3, message: "b: one" },
      { line: 3, column: 3, message: "b.c.d: two" },
      { line: 1, column: 1, message: "x: three" },
      { line: 1, column: 1, message: "four" },
    ]);
    expect(report.lineOf("b")).toBe("line 3");
  });

  it("knows where something has problems", () => {
    const report = reportOn("");
    report.problem("portals.2.listen", "bad");
    expect(report.hasProblems("portals")).toBe(true);
    expect(report.hasProblems("portals.2")).toBe(true);
    expect(report.hasProblems("portals.1")).toBe(false);
    expect(report.hasProblems("portal")).toBe(false);
  });

  it("follows aliases", () => {
    const report = reportOn("a: &x 7\nb: *x\n");
    expect(report.enter(report.source.document.get("b", true), "b")).toMatchObject({ value: 7 });
  });
});

it("findings are told as compilers tell them", () => {
  expect(describeFinding("f", { line: 2, column: 3, message: "m" })).toBe("f:2:3: m");
  expect(describeFinding("f", { line: 0, column: 0, message: "m" })).toBe("f: m");
});

it("an error lists all findings", () => {
  const findings = [1, 2].map((line) => ({ line, column: 1, message: "m" }));
  expect(new ConfigError("f", findings).message).toBe("f:1:1: m\nf:2:1: m");
});

it("a name with a dot in it is one step of a path", () => {
  expect(pathOf("volumes", "a.b")).toBe('volumes."a.b"');
  expect(pathOf("", "a")).toBe("a");
});
