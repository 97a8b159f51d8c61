/** Names in targets.conf, as tgt-admin knows them. The case of letters counts. */

/** Of a logical unit: set with `tgtadm --op update --params NAME=VALUE` after it is made. */
export const LUN_ATTRIBUTES: readonly string[] = [
  "scsi_id",
  "sense_format",
  "removable",
  "online",
  "path",
  "readonly",
  "vendor_id",
  "product_id",
  "product_rev",
  "scsi_sn",
  "lbppbe",
  "la_lba",
  "optimal_xfer_gran",
  "optimal_xfer_len",
];

/** Of a logical unit, in its block or for all of the target. */
const LUN_KEYS: readonly string[] = [
  ...LUN_ATTRIBUTES,
  "lun",
  "write-cache",
  "mode_page",
  "params",
  "device-type",
  "bs-type",
  "bsopts",
  "bsoflags",
  "allow-in-use",
];

/** In the block of a store. Its block size cannot be set for all of a target. */
export const STORE_KEYS: readonly string[] = [...LUN_KEYS, "block-size"];

/** What is negotiated at login. Keys that tgtadm knows besides (MaxQueueCmd, ...) are none for tgt-admin. */
export const SESSION_KEYS: readonly string[] = [
  "MaxRecvDataSegmentLength",
  "MaxXmitDataSegmentLength",
  "HeaderDigest",
  "DataDigest",
  "InitialR2T",
  "MaxOutstandingR2T",
  "ImmediateData",
  "FirstBurstLength",
  "MaxBurstLength",
  "DataPDUInOrder",
  "DataSequenceInOrder",
  "ErrorRecoveryLevel",
  "IFMarker",
  "OFMarker",
  "DefaultTime2Wait",
  "DefaultTime2Retain",
  "OFMarkInt",
  "IFMarkInt",
  "MaxConnections",
  "state",
  // Not in tgt's script, which passes them over.
  "nop_interval",
  "nop_count",
];

/** In the block of a target. */
export const TARGET_KEYS: readonly string[] = [
  ...LUN_KEYS,
  ...SESSION_KEYS,
  "backing-store",
  "direct-store",
  "driver",
  "controller_tid",
  "incominguser",
  "outgoinguser",
  "initiator-address",
  "initiator-name",
];

export const ISNS_KEYS: readonly string[] = [
  "iSNS",
  "iSNSAccessControl",
  "iSNSServerIP",
  "iSNSServerPort",
];

/** Outside of all blocks, besides `include`, of which nothing is left here. */
export const GLOBAL_KEYS: readonly string[] = [
  ...ISNS_KEYS,
  "default-driver",
  "ignore-errors",
  "control-port",
  "incomingdiscoveryuser",
  "outgoingdiscoveryuser",
  "target",
];
