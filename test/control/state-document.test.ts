import { describe, expect, it } from "vitest";
import {
  decodeState,
  EMPTY_STATE,
  encodeState,
  type State,
} from "../../src/control/state-document.ts";
import { fullInventory } from "./support/inventories.ts";

const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";

const FULL: State = {
  volumes: new Map([["disk", { uuid, made: true }]]),
  pools: new Map([["tank", { uuid, made: false }]]),
  inventory: fullInventory(),
  creations: [
    { kind: "volume", name: "disk", pool: "tank", itsName: "d", uuid },
    { kind: "file", name: "x", path: "/srv/x.img", sizeBytes: 4096 },
  ],
};

describe("the state's document", () => {
  it.each([
    ["with all that there can be", FULL],
    ["with nothing", EMPTY_STATE],
  ])("reads back as it was: %s", (_what, state) => {
    expect(decodeState(encodeState(state))).toEqual(state);
  });

  it("of the first version has identities alone", () => {
    const text = `{"format": "thinlun state", "version": 1, "volumes": {"d": {"uuid": "${uuid}"}}}`;
    const volumes = new Map([["d", { uuid, made: false }]]);
    expect(decodeState(text)).toEqual({ ...EMPTY_STATE, volumes });
  });

  it("is refused as a whole wherever it is cut", () => {
    const text = encodeState(FULL).trimEnd();
    for (let length = 0; length < text.length; length += 1) {
      expect(typeof decodeState(text.slice(0, length))).toBe("string");
    }
  });
});
