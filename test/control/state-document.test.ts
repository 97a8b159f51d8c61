import { describe, expect, it } from "vitest";
import {
  decodeState,
  EMPTY_STATE,
  encodeState,
  type Known,
  type State,
} from "../../src/control/state-document.ts";
import { fullInventory } from "./support/inventories.ts";

const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";

const FULL: State = {
  volumes: new Map<string, Known>([
    ["disk", { uuid, made: true }],
    [
      "moved",
      {
        uuid,
        made: false,
        place: { driver: "raw", path: "/b.img" },
        former: [
          {
            uuid,
            made: true,
            place: {
              driver: "raw",
              path: "/a.img",
              file: { inode: "12", bornNs: "1700000000000000001" },
            },
          },
          { uuid, made: true, place: { driver: "thin", pool: "tank" } },
          { uuid, made: true, place: { driver: "memory" } },
          { uuid, made: true },
        ],
      },
    ],
  ]),
  pools: new Map([["tank", { uuid, made: false }]]),
  inventory: fullInventory(),
  creations: [
    {
      kind: "renaming",
      name: "tank/b",
      pool: "tank",
      uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e",
      from: "a",
      to: "b",
    },
    { kind: "volume", name: "disk", pool: "tank", itsName: "d", uuid },
    { kind: "file", name: "x", path: "/srv/x.img", sizeBytes: 4096 },
  ],
  numbers: new Map([["iqn.2026-11.net.example:one", 7]]),
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

  it.each([
    ["no place", '"x"'],
    ["a driver that nobody knows", '{"driver": "x"}'],
    ["no path", '{"driver": "raw"}'],
    ["no pool", '{"driver": "thin"}'],
    ["a file without marks", '{"driver": "raw", "path": "/a", "file": {}}'],
    [
      "an inode that is no number",
      '{"driver": "raw", "path": "/a", "file": {"inode": "x", "bornNs": "0"}}',
    ],
  ])("is refused where it says %s", (_what, place) => {
    const of = (volume: string): string =>
      `{"format": "thinlun state", "version": 2, "volumes": {"d": ${volume}}}`;
    const disk = `{"uuid": "${uuid}", "place": ${place}}`;
    const message = 'it does not say where its volume "d" was';
    expect(decodeState(of(disk))).toBe(message);
    expect(decodeState(of(`{"uuid": "${uuid}", "former": [${disk}]}`))).toBe(message);
    expect(decodeState(of(`{"uuid": "${uuid}", "former": 7}`))).toContain("has no uuid");
  });

  it("is refused as a whole wherever it is cut", () => {
    const text = encodeState(FULL).trimEnd();
    for (let length = 0; length < text.length; length += 1) {
      expect(typeof decodeState(text.slice(0, length))).toBe("string");
    }
  });
});
