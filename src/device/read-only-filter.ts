import { IoError } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice, DeviceTraits } from "./block-device.ts";
import { DeviceFilter } from "./device-filter.ts";

/** Refuses everything that would change the device below. */
export class ReadOnlyFilter extends DeviceFilter {
  constructor(below: BlockDevice) {
    super(below, `${below.name} (read-only)`);
  }

  override get traits(): DeviceTraits {
    return { ...this.below.traits, readOnly: true, discardGranularityBytes: 0 };
  }

  override tryWrite(): boolean {
    return false;
  }

  override submit(request: IoRequest): void {
    const { kind, offsetBytes } = request;
    if (kind === IoKind.read || kind === IoKind.flush) this.below.submit(request);
    else {
      const context = { object: this.name, offsetBytes };
      request.done(new IoError("read-only", "it cannot be written", context));
    }
  }
}
