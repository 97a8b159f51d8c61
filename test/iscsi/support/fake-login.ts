import { FakeVolume } from "../../scsi/support/fake-volume.ts";
import type { LoginResult } from "../../../src/iscsi/login/login-types.ts";
import { defaultParameters } from "../../../src/iscsi/parameters.ts";
import type { SessionConnection } from "../../../src/iscsi/session.ts";
import { IscsiTarget } from "../../../src/iscsi/target.ts";
import { LogicalUnit } from "../../../src/scsi/logical-unit.ts";
import { TargetDevice } from "../../../src/scsi/target-device.ts";
import { TransferBench } from "./transfer-bench.ts";

/** A connection that notes why it was dropped. */
export class FakeConnection extends TransferBench implements SessionConnection {
  readonly cid: number;
  readonly drops: string[] = [];

  constructor(cid: number = 0) {
    super();
    this.cid = cid;
  }

  drop(reason: string): void {
    this.drops.push(reason);
  }
}

/** A target with one disk, whose volume the test holds on strings. */
export interface FakeTarget {
  readonly target: IscsiTarget;
  readonly volume: FakeVolume;
  readonly unit: LogicalUnit;
}

export function fakeTarget(name: string = "iqn.2026-11.net.example:disk"): FakeTarget {
  const volume = new FakeVolume(1024 * 1024);
  const unit = new LogicalUnit({ volume, blockBytes: 512, nowMs: () => 0 });
  const device = new TargetDevice(name);
  device.attach(0, unit);
  return { target: new IscsiTarget(name, device), volume, unit };
}

/** What a login of a normal session came to. */
export function loginOf(target: IscsiTarget, fields: Partial<LoginResult> = {}): LoginResult {
  return {
    initiatorName: "iqn.2026-11.net.example:initiator",
    initiatorAlias: "alias",
    sessionType: "normal",
    target,
    isid: "400000000001",
    tsih: 1,
    cid: 0,
    parameters: defaultParameters(),
    account: null,
    ...fields,
  };
}
