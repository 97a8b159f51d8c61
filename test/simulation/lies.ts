import type { Fault } from "./faults.ts";
import type { Machine } from "./machine.ts";
import { PAGE_BYTES } from "./media.ts";

/** Bit rot: bits of metadata change on the medium, which nobody notices before it is read. */
export function flipBits(machine: Machine, faults: readonly Fault[]): void {
  const { random, options } = machine;
  for (const { kind, device, count } of faults) {
    const media = machine.media[device];
    if (kind !== "bitFlip" || media === undefined) continue;
    const pages = media
      .pages()
      .filter((page) => options.isMetadata(media, page * PAGE_BYTES, media.page(page)));
    for (let flipped = 0; flipped < count && pages.length > 0; flipped += 1) {
      media.corrupt(random.pick(pages), (content) => {
        const at = random.below(content.length);
        content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
      });
      machine.faults.injected.set(kind, (machine.faults.injected.get(kind) ?? 0) + 1);
    }
  }
}
