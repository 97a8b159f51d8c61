import type { StoreWanted } from "../targets-conf-store.ts";
import { AdminEnd } from "./runner.ts";
import type { AdminWorld } from "./world.ts";

/** What a device says of itself, in the words of sg_inq and sg_readcap. */
const IDENTITY =
  /Vendor identification:\s(.*?)\n\s+Product identification:\s+(.*?)\n\s+Product revision level:\s+(.*?)\n(?:\s+Unit serial number:\s+(.*?)\n)?/;
const TRANSFER =
  /Optimal transfer length granularity:\s+?(\d+).*?\n\s+Maximum transfer length:\s+?\d+.*?\n\s+Optimal transfer length:\s+?(\d+).*?\n/;
const CAPACITY =
  /Logical block length=(\d+).*?\n\s+Logical blocks per physical block exponent=(\d+).*?\n\s+Lowest aligned logical block address=(\d+).*?\n/;

const FAILED = 1;

/** The store with what the device says of itself where the configuration is silent. */
export async function likeTheDevice(store: StoreWanted, world: AdminWorld): Promise<StoreWanted> {
  const attributes = new Map(store.attributes);
  const fill = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "" && !attributes.has(name)) attributes.set(name, value);
  };
  const ask = async (program: string, ...words: readonly string[]): Promise<string> =>
    (await world.run(program, [...words, store.path])).stdout;
  const [, vendor, product, revision, serial] = IDENTITY.exec(await ask("sg_inq")) ?? [];
  fill("vendor_id", vendor);
  fill("product_id", product);
  fill("product_rev", revision);
  fill("scsi_sn", serial);
  const [, granularity, transfer] = TRANSFER.exec(await ask("sg_inq", "-p", "0xb0")) ?? [];
  fill("optimal_xfer_gran", granularity);
  fill("optimal_xfer_len", transfer);
  const [, blockBytes, exponent, lowest] = CAPACITY.exec(await ask("sg_readcap", "-16")) ?? [];
  fill("lbppbe", exponent);
  fill("la_lba", lowest);
  return { ...store, attributes, blockSize: store.blockSize ?? blockBytes ?? null };
}

/** Ends the command where the programs are not there that direct stores need. */
export async function requireSgInq(world: AdminWorld): Promise<void> {
  const { outcome } = await world.run("sg_inq", ["--version"]);
  if (outcome !== "missing") return;
  world.print(
    "Command 'sg_inq' (needed by 'option direct-store') is not in your path - can't continue!\n",
  );
  throw new AdminEnd(FAILED);
}
