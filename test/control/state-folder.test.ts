import { expect, it } from "vitest";
import { defaultStateFolder, systemSurroundings } from "../../src/control/state-folder.ts";

it.each([
  [true, {}, "/var/lib/thinlun"],
  [true, { XDG_STATE_HOME: "/x" }, "/var/lib/thinlun"],
  [false, {}, "/home/u/.local/state/thinlun"],
  [false, { XDG_STATE_HOME: "/x" }, "/x/thinlun"],
  [false, { XDG_STATE_HOME: "relative" }, "/home/u/.local/state/thinlun"],
])("superuser %s with %j keeps its state in %s", (isSuperuser, environment, folder) => {
  expect(defaultStateFolder({ isSuperuser, home: "/home/u", environment })).toBe(folder);
});

it("knows the system's surroundings", () => {
  expect(defaultStateFolder(systemSurroundings())).toMatch(/thinlun$/);
});
