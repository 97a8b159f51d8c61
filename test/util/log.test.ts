import { describe, expect, it } from "vitest";
import { type LogLevel, openLog, silentLog } from "../../src/util/log.ts";

function collecting(level: LogLevel, pretty: boolean = false) {
  const lines: string[] = [];
  const output = openLog({ level, pretty, write: (line) => void lines.push(line) });
  return { ...output, lines };
}

describe("openLog", () => {
  it("writes JSON with level, time and fields", () => {
    const { log, lines } = collecting("info");
    log.info({ port: 3260 }, "listening");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "info",
      msg: "listening",
      port: 3260,
    });
    expect(JSON.parse(lines[0] ?? "")).toHaveProperty("time", expect.stringMatching(/Z$/));
  });

  it("leaves out levels that are off, and says so", () => {
    const { log, lines } = collecting("warn");
    log.debug({}, "no");
    log.info({}, "no");
    log.warn({}, "yes");
    expect(lines).toHaveLength(1);
    expect(log.isLevelEnabled("info")).toBe(false);
    expect(log.isLevelEnabled("error")).toBe(true);
  });

  it("changes its level while it runs, for all that came from it, and back", () => {
    const { log, lines, setLevel } = collecting("info");
    const child = log.child({ connection: 7 }).child({ command: 1 });
    const told = (): number => {
      lines.length = 0;
      for (const each of [log, child]) each.debug({}, "in full");
      return lines.length;
    };
    expect([told(), child.isLevelEnabled("debug")]).toEqual([0, false]);
    setLevel("debug");
    expect([told(), child.isLevelEnabled("debug")]).toEqual([2, true]);
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ connection: 7, command: 1, level: "debug" });
    setLevel("info");
    expect(told()).toBe(0);
    setLevel("silent");
    log.fatal({}, "no");
    expect([lines.length, log.isLevelEnabled("fatal")]).toEqual([0, false]);
  });

  it("redacts secrets, at the top and one level down", () => {
    const { log, lines } = collecting("trace");
    log.info({ password: "hunter2hunter2", account: { user: "a", secret: "hunter2hunter2" } }, "x");
    log.child({ secret: "hunter2hunter2" }).trace({ keys: { CHAP_R: "hunter2hunter2" } }, "y");
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toContain("hunter2");
    expect(lines.join("").match(/\[redacted\]/g)).toHaveLength(4);
  });

  it("gives every line of a child its fields", () => {
    const { log, lines } = collecting("info");
    log.child({ connection: 7 }).warn({}, "dropped");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ connection: 7, msg: "dropped" });
  });

  it("writes errors with their causes", () => {
    const { log, lines } = collecting("info");
    const error = new Error("outer", { cause: new Error("inner") });
    log.error({ error }, "failed");
    expect(lines[0]).toContain("outer");
    expect(lines[0]).toContain("inner");
  });

  it("writes for people when asked to", () => {
    const { log, lines } = collecting("info", true);
    log.info({ port: 3260 }, "listening");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}listening port=3260\n$/);
  });
});

it("the silent log says nothing and costs nothing", () => {
  expect(silentLog.isLevelEnabled("fatal")).toBe(false);
  expect(() => silentLog.child({ a: 1 }).fatal({}, "x")).not.toThrow();
});
