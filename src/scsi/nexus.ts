import type { LogicalUnit } from "./logical-unit.ts";
import { ATTENTIONS_MAX } from "./limits.ts";
import type { NexusStatistics } from "./nexus-statistics.ts";
import { additionalSenseCodeOf, Sense, type SenseCode } from "./sense.ts";
import type { TargetDevice } from "./target-device.ts";

const RESET_ASC = additionalSenseCodeOf(Sense.powerOnResetOrBusDeviceResetOccurred);

/** The name of the initiator in that of its port (RFC 7143 4.2.7.1: the name, ",i,0x" and the ISID). */
export function initiatorOf(port: string): string {
  const end = port.lastIndexOf(",i,0x");
  return end === -1 ? port : port.slice(0, end);
}

/**
 * An I_T nexus (SAM-5 4.5): one initiator port and one target port, with the unit attentions that wait for the
 * initiator on each logical unit. Made by `TargetDevice.openNexus`.
 */
export class Nexus {
  readonly device: TargetDevice;
  /** SCSI name of the initiator port, for iSCSI "iqn....,i,0x<isid>". */
  readonly initiatorPort: string;
  /** SCSI name of the target port, for iSCSI "iqn....,t,0x<portal group tag>". */
  readonly targetPort: string;
  /** Relative target port identifier, 1 to 65535 (SPC-4 3.1.120). */
  readonly relativePortId: number;
  /** How many attentions wait on all logical units together: the hot path looks at nothing else while it is zero. */
  attentionCount = 0;

  /** The disk that the initiator has met last under each LUN, see `diskName`; kept by `TargetDevice`, also when the disk is gone. */
  readonly met: Map<number, string> = new Map();

  /** The initiator was asked to log out: it does, and may come back at once, with all that it knows. */
  isAskedToLeave = false;

  /** The initiator has logged out by itself: it knows none of its disks any more. */
  hasForgotten = false;

  /** What came over it. */
  readonly statistics: NexusStatistics;

  readonly #attentions: Map<LogicalUnit, SenseCode[]> = new Map();

  constructor(
    device: TargetDevice,
    initiatorPort: string,
    targetPort: string,
    relativePortId: number,
  ) {
    this.device = device;
    this.initiatorPort = initiatorPort;
    this.targetPort = targetPort;
    this.relativePortId = relativePortId;
    this.statistics = device.statistics.open(initiatorOf(initiatorPort));
  }

  /**
   * Establishes a unit attention condition (SAM-5 5.14). One that waits already is not repeated. A reset goes before
   * everything else and absorbs later ones: the initiator has to start over anyway.
   */
  raise(unit: LogicalUnit, code: SenseCode): void {
    let queue = this.#attentions.get(unit);
    if (queue === undefined) {
      queue = [];
      this.#attentions.set(unit, queue);
    }
    if (queue.includes(code) || queue.length >= ATTENTIONS_MAX) return;
    if (additionalSenseCodeOf(code) !== RESET_ASC) {
      queue.push(code);
    } else {
      const [first] = queue;
      if (first !== undefined && additionalSenseCodeOf(first) === RESET_ASC) return;
      queue.unshift(code);
    }
    this.attentionCount += 1;
  }

  /** Takes the attention to report next, and with that clears it; -1 when none waits for this logical unit. */
  takeAttention(unit: LogicalUnit): SenseCode {
    const code = this.#attentions.get(unit)?.shift();
    if (code === undefined) return -1;
    this.attentionCount -= 1;
    return code;
  }

  /** Clears one attention on every logical unit, as REPORT LUNS does with its own (SPC-4 6.33). */
  clearAttention(code: SenseCode): void {
    for (const queue of this.#attentions.values()) {
      const index = queue.indexOf(code);
      if (index < 0) continue;
      queue.splice(index, 1);
      this.attentionCount -= 1;
    }
  }

  /** Forgets what waits for a logical unit that is no longer reachable over this nexus. */
  dropAttentions(unit: LogicalUnit): void {
    this.attentionCount -= this.#attentions.get(unit)?.length ?? 0;
    this.#attentions.delete(unit);
  }
}
