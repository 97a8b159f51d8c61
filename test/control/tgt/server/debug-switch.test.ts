import { expect, it } from "vitest";
import { debugLevel, debugSwitch } from "../../../../src/control/tgt/server/debug-switch.ts";
import { openLog } from "../../../../src/util/log.ts";

it.each([
  ["info", "debug"],
  ["silent", "debug"],
  ["debug", "debug"],
  ["trace", "trace"],
] as const)("a log at %s is at %s while debug is on, and back afterwards", (usual, loud) => {
  expect([debugLevel(usual, true), debugLevel(usual, false)]).toEqual([loud, usual]);
});

it("lines of all parts appear while it is on, and no more when it is off again", () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const { log, setLevel } = openLog({ level: "info", pretty: false, write });
  const { isOn, turn } = debugSwitch("info", false, setLevel);
  const part = log.child({ part: "tgt" });
  part.debug({}, "before");
  turn(true);
  part.debug({}, "while it is on");
  turn(false);
  part.debug({}, "after");
  expect(isOn).toBe(false);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "while it is on",
  ]);
});
