/** A write, discard or flush of one device, when it completed. */
export type LogEntry =
  | {
      readonly kind: "write";
      readonly device: number;
      readonly offsetBytes: number;
      readonly data: Buffer;
      /** It was on stable media when it completed. */
      readonly isStable: boolean;
    }
  | {
      readonly kind: "discard";
      readonly device: number;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    }
  | {
      readonly kind: "flush";
      readonly device: number;
      /** The entries before this one are on stable media, as far as they are this device's: those since its submission need not be. */
      readonly covers: number;
    };

/** What all devices of a pool did, in the order in which it completed. A position is a number of entries. */
export class DeviceLog {
  readonly entries: LogEntry[] = [];

  get position(): number {
    return this.entries.length;
  }

  add(entry: LogEntry): void {
    this.entries.push(entry);
  }
}
