import { TGT_VERSION } from "../version.ts";

/** tgtd's own text, and what this daemon takes besides. */
export const TGTD_HELP: string = `Linux SCSI Target framework daemon, version ${TGT_VERSION}

Usage: tgtd [OPTION]
-f, --foreground        make the program run in the foreground
-D, --nodaemonize       make the program run in the foreground with logger
-C, --control-port NNNN use port NNNN for the mgmt channel
-t, --nr_iothreads NNNN specify the number of I/O threads
-p, --pid-file filename specify the pid file
-d, --debug debuglevel  print debugging information
-V, --version           print version and exit
-h, --help              display this help and exit
`;
