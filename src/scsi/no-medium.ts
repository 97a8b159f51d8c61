import { IoError } from "../util/io-error.ts";
import type { IoRequest } from "../util/io-request.ts";
import type { Volume, VolumeCapabilities, VolumeExtent } from "../volume/volume.ts";

const CAPABILITIES: VolumeCapabilities = {
  writable: true,
  thin: false,
  discardGranularityBytes: 0,
  discardZeroes: false,
  extents: false,
  resizable: false,
  persistent: false,
  physicalBlockBytes: 512,
  optimalIoBytes: 0,
  rotational: false,
};

/** What stands in for the volume of a unit that has no medium. It holds nothing; a flush of nothing succeeds. */
export class NoMedium implements Volume {
  readonly uuid: string;
  readonly name: string;
  readonly capabilities: VolumeCapabilities = CAPABILITIES;
  readonly capacityBytes = 0;

  constructor(uuid: string, name: string) {
    this.uuid = uuid;
    this.name = name;
  }

  tryRead(): boolean {
    return false;
  }

  tryWrite(): boolean {
    return false;
  }

  submit(request: IoRequest): void {
    if (request.lengthBytes === 0) request.done(null);
    else request.done(new IoError("range", "there is no medium", { object: this.name }));
  }

  extents(): Promise<VolumeExtent[]> {
    return Promise.resolve([]);
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
