import { describe, expect, it } from "vitest";
import { failsOnlyAt, outcomeOf, suiteOf, testsIn } from "./test-tool.ts";

function summary(tests: string, during = ""): string {
  return `    [SKIPPED] PERSISTENT RESERVE IN is not implemented.

     CUnit - A unit testing framework for C - Version 2.1-3

Suite: Read10
  Test: Simple ...${during}passed    [SKIPPED] PERSISTENT RESERVE IN is not implemented.

Run Summary:    Type  Total    Ran Passed Failed Inactive
              suites      1      1    n/a      0        0
               tests      ${tests}        0
             asserts   6633   6633   6633      0      n/a
`;
}

describe("outcomeOf", () => {
  const stderr = "";

  it("takes the framework's word for passed and failed", () => {
    expect(outcomeOf({ status: 0, stdout: summary("1      1      1      0"), stderr })).toBe(
      "passed",
    );
    expect(outcomeOf({ status: 0, stdout: summary("1      1      0      1"), stderr })).toBe(
      "failed",
    );
  });

  it("tells a skipped test from a passed one", () => {
    const stdout = summary("1      1      1      0", "    [SKIPPED] UNMAP is not implemented.\n");
    expect(outcomeOf({ status: 0, stdout, stderr })).toBe("skipped");
  });

  it.each([
    ["another exit status", { status: 1, stdout: summary("1      1      1      0") }],
    ["a signal", { status: null, stdout: summary("1      1      1      0") }],
    ["no summary", { status: 0, stdout: "Failed to connect to SCSI device 0" }],
    ["no test", { status: 0, stdout: summary("0      0      0      0") }],
    ["more tests than the one", { status: 0, stdout: summary("2      2      2      0") }],
  ])("takes %s for a failure", (_, ending) => {
    expect(outcomeOf({ ...ending, stderr })).toBe("failed");
  });
});

describe("failsOnlyAt", () => {
  const stdout = "  Test: A ...FAILED\n    1. test_a.c:157  - CU_ASSERT_EQUAL(reconnected,1)\n";
  const other = "    2. test_a.c:160  - CU_ASSERT_EQUAL(status,0)\n";

  it("knows the one assertion, alone", () => {
    const ending = { status: 1, stdout, stderr: "" };
    expect(failsOnlyAt("CU_ASSERT_EQUAL(reconnected,1)", ending)).toBe(true);
    expect(failsOnlyAt("CU_ASSERT_EQUAL(status,0)", ending)).toBe(false);
    const both = { ...ending, stdout: stdout + other };
    expect(failsOnlyAt("CU_ASSERT_EQUAL(reconnected,1)", both)).toBe(false);
    expect(failsOnlyAt("anything", { ...ending, stdout: "" })).toBe(false);
  });
});

describe("testsIn", () => {
  it("finds the tests of the two families", () => {
    const list =
      "ALL\nALL.Read6.Simple\nSCSI\nSCSI.Read6\nSCSI.Read6.Simple\niSCSI.iSCSITMF.Abort\nLINUX.A.B";
    expect(testsIn(list)).toEqual(["SCSI.Read6.Simple", "iSCSI.iSCSITMF.Abort"]);
    expect(suiteOf("SCSI.Read6.Simple")).toBe("SCSI.Read6");
  });
});
