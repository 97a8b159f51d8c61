import { expect, it } from "vitest";
import { foreignText, line, yesOrNo } from "../../../../src/control/tgt/show/lines.ts";

it("indents by four blanks a step, and ends each line", () => {
  expect(line(0, "a") + line(3, "b")).toBe("a\n            b\n");
});

it("says Yes and No", () => {
  expect([true, false].map(yesOrNo)).toEqual(["Yes", "No"]);
});

it("keeps what others chose within its line", () => {
  expect(foreignText("iqn.1993-08.org.debian:01:abc, host 1")).toBe(
    "iqn.1993-08.org.debian:01:abc, host 1",
  );
  expect(foreignText("a\n\nTarget\t9: b\r\u001b[2J\u202e")).toBe(
    "a\\u000a\\u000aTarget\\u00099: b\\u000d\\u001b[2J\\u202e",
  );
});
