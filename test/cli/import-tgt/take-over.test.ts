import { describe, expect, it } from "vitest";
import type { TgtDocument, TgtTargetDocument } from "../../../src/control/protocol.ts";
import {
  takeOver,
  type TakeOver,
  type TakeOverOptions,
} from "../../../src/cli/import-tgt/take-over.ts";

const UNIT = {
  lun: 1,
  path: "/a",
  deviceType: null,
  bsType: null,
  bsOptions: null,
  bsOpenFlags: null,
  blockSize: null,
  params: [],
} as const;

const TARGET: TgtTargetDocument = {
  name: "iqn.a",
  tid: 3,
  incoming: [],
  outgoing: null,
  addresses: ["ALL"],
  initiatorNames: [],
  settings: [],
  luns: [UNIT],
};

const NOTHING: TgtDocument = { targets: [], accounts: [], discovery: null, system: [] };

function take(document: Partial<TgtDocument>, options: Partial<TakeOverOptions> = {}): TakeOver {
  return takeOver(
    { ...NOTHING, ...document },
    {
      passwords: new Map(),
      own: NOTHING,
      isOpen: () => false,
      isForced: false,
      makePassword: () => "made-up",
      ...options,
    },
  );
}

describe("takeOver", () => {
  it("writes out the identities that follow from the number of a target", () => {
    const luns = [UNIT, { ...UNIT, lun: 18, params: ["vendor_id=x,scsi_id=mine"] }];
    const { wanted, notes } = take({ targets: [{ ...TARGET, luns }] });
    expect(notes).toEqual([]);
    expect(wanted.targets[0]?.tid).toBe(3);
    expect(wanted.targets[0]?.luns.map(({ params }) => params)).toEqual([
      ["scsi_id=IET     00030001", "scsi_sn=beaf31"],
      ["scsi_sn=beaf318", "vendor_id=x,scsi_id=mine"],
    ]);
  });

  it("keeps them where another target has the number", () => {
    const own = { ...NOTHING, targets: [{ ...TARGET, name: "iqn.other" }] };
    const { wanted, notes } = take({ targets: [TARGET] }, { own });
    expect(wanted.targets[0]?.tid).toBeNull();
    expect(wanted.targets[0]?.luns[0]?.params).toContain("scsi_id=IET     00030001");
    expect(notes).toEqual([expect.stringContaining("gets another number than 3")]);
  });

  it("leaves a target offline whose disks others have open, unless forced", () => {
    const document = { targets: [TARGET, { ...TARGET, name: "iqn.b", tid: 4, luns: [] }] };
    const { wanted, notes } = take(document, { isOpen: () => true });
    expect(wanted.targets.map(({ settings }) => settings)).toEqual([
      [{ name: "state", value: "offline" }],
      [],
    ]);
    expect(notes).toEqual([expect.stringContaining("others may have /a open")]);
    const forced = take(document, { isOpen: () => true, isForced: true });
    expect(forced.wanted.targets[0]?.settings).toEqual([]);
  });

  it("leaves it so where it has them open itself and who else does cannot be told", () => {
    const offline = { ...TARGET, settings: [{ name: "state", value: "offline" }] };
    const again = take(
      { targets: [TARGET] },
      { isOpen: () => true, own: { ...NOTHING, targets: [offline] } },
    );
    expect(again.wanted.targets[0]?.settings).toEqual(offline.settings);
    const ready = take(
      { targets: [TARGET] },
      { isOpen: () => true, own: { ...NOTHING, targets: [TARGET] } },
    );
    expect(ready.wanted.targets[0]?.settings).toEqual([]);
  });

  it("gives accounts the passwords that are known, and others one that nobody knows", () => {
    const accounts = ["known", "there", "lost"].map((user) => ({ user, password: null }));
    const own = { ...NOTHING, accounts: [{ user: "there", password: null }] };
    const { wanted, notes } = take({ accounts }, { own, passwords: new Map([["known", "p"]]) });
    expect(wanted.accounts.map(({ password }) => password)).toEqual(["p", null, "made-up"]);
    expect(notes).toEqual([expect.stringContaining("the password of account lost is not known")]);
  });

  it("says that iSNS is left to tgtadm", () => {
    const { wanted, notes } = take({ system: [{ name: "iSNS", value: "On" }] });
    expect(wanted.system).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("iSNS is not taken over")]);
  });
});
