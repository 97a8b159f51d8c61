import { TGT_VERSION } from "../version.ts";

/** What `tgtimg --help` prints: each form of the command line, and what it does. */
export const TGTIMG_HELP: string = `Usage: tgtimg [OPTION]
Linux SCSI Target Framework Image File Utility, version ${TGT_VERSION}

  --op new --device-type disk --type=disk --size=[size] --file=[path] [--thin-provisioning]
			create the image of a blank disk of [size] MiB at [path].
  --op new --device-type cd --type=dvd+r --file=[path]
			create the image of a blank DVD+R.
  --op new --device-type tape --barcode=[code] --size=[size] --type=[type] --file=[path]
			create the image of a blank tape of [size] MiB.
			[code] is a string of at most 20 chars, [type] is data,
			clean or WORM.
  --op show --device-type tape --file=[path]
			list what is on a tape.
  --thin-provisioning   give the image no blocks before they are written
  --help                display this help and exit

  --device-type is tape unless it is given.
`;
