import { describe, expect, it } from "vitest";
import { LogFormatter } from "../../src/util/log-formatter.ts";

const formatter = new LogFormatter();

describe("LogFormatter", () => {
  it("writes time, level, message and the rest", () => {
    const line = JSON.stringify({
      level: "info",
      time: "2026-03-04T12:34:56.789Z",
      msg: "listening",
      port: 3260,
      lun: { number: 1 },
    });
    expect(formatter.format(line)).toBe('12:34:56 info  listening port=3260 lun={"number":1}\n');
  });

  it("indents the stack of an error", () => {
    const line = JSON.stringify({ level: "error", msg: "no", error: { stack: "Error: x\n at y" } });
    expect(formatter.format(line)).toBe(" error no\n    Error: x\n     at y\n");
  });

  it("lets no control characters through to the terminal", () => {
    const line = JSON.stringify({ level: "warn", msg: "a\u001b[2Jb\nc", name: "\u009b31m" });
    expect(formatter.format(line)).toBe(" warn  a\\u001b[2Jb\\u000ac name=\\u009b31m\n");
  });

  it.each(["plain text", "null", "1"])("passes on %j as it is", (line) => {
    expect(formatter.format(line)).toBe(line);
  });
});
