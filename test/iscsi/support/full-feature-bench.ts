import { FullFeature } from "../../../src/iscsi/full-feature.ts";
import type { FullFeatureLink } from "../../../src/iscsi/full-feature-link.ts";
import { Session } from "../../../src/iscsi/session.ts";
import { TextPhase } from "../../../src/iscsi/text-phase.ts";
import type { TextPair } from "../../../src/iscsi/text/text-pairs.ts";
import type { RejectReason } from "../../../src/iscsi/pdu/reject.ts";
import { encodeScsiCommand } from "../../../src/iscsi/pdu/scsi-command.ts";
import { FakeConnection, fakeTarget, loginOf, type FakeTarget } from "./fake-login.ts";

export const FIRST_CMD_SN = 100;

/** A connection in full-feature phase, that notes what is asked of it. */
export class FullFeatureBench extends FakeConnection implements FullFeatureLink {
  readonly fake: FakeTarget = fakeTarget();
  readonly session: Session;
  readonly fullFeature: FullFeature;
  readonly text: TextPhase;
  live = true;
  finished = 0;
  coldResets = 0;
  readonly rejects: RejectReason[] = [];
  /** What SendTargets gives. */
  targets: TextPair[] = [];
  readonly #memory: Buffer = Buffer.alloc(64 * 1024);

  constructor(discovery: boolean = false) {
    super();
    const login = loginOf(this.fake.target, { parameters: this.parameters });
    this.session = new Session(login, 1, 1, this, FIRST_CMD_SN);
    this.session.nexus.takeAttention(this.fake.unit);
    this.text = new TextPhase(this, () => this.targets);
    const session = discovery ? null : this.session;
    this.fullFeature = new FullFeature(this, session, this.text, FIRST_CMD_SN);
  }

  reject(reason: RejectReason): void {
    this.rejects.push(reason);
  }

  finish(): void {
    this.finished += 1;
    this.live = false;
  }

  coldReset(): void {
    this.coldResets += 1;
  }

  /** A PDU from the network, in memory that is used again at once. */
  receive(header: Uint8Array, data: Uint8Array = new Uint8Array(0), good = true): void {
    const memory = this.#memory;
    memory.set(header, 16);
    memory.set(data, 16 + header.length);
    this.fullFeature.onPdu(memory, 16, 16 + header.length, data.length, good);
    memory.fill(0xdd);
  }

  /** TEST UNIT READY, or another command. */
  command(tag: number, cmdSn: number, fields: CommandFields = {}): void {
    const { data = new Uint8Array(0), cdb = new Uint8Array(16), ...rest } = fields;
    const header = Buffer.alloc(48);
    encodeScsiCommand(header, 0, {
      immediate: false,
      flags: 0x81,
      lun: new Uint8Array(8),
      initiatorTaskTag: tag,
      expectedDataTransferBytes: data.length,
      cmdSn,
      expStatSn: 0,
      cdb,
      totalAdditionalHeaderWords: 0,
      dataSegmentBytes: data.length,
      ...rest,
    });
    this.receive(header, data);
  }
}

/** What a test says of a command. */
export interface CommandFields {
  readonly immediate?: boolean;
  readonly flags?: number;
  readonly expectedDataTransferBytes?: number;
  readonly cdb?: Uint8Array;
  readonly data?: Uint8Array;
}
