/**
 * What is expected of the tests of libiscsi's iscsi-test-cu, by suite and by test as `iscsi-test-cu --list` names
 * them. What is in none of these tables is run and recorded, and may end in any way: it tests commands that
 * are optional and not there.
 */

/** Every test of these suites must pass, unless it is named in {@link SKIPPED_FOR_A_REASON}. */
export const REQUIRED_SUITES: readonly string[] = [
  "SCSI.Inquiry",
  "SCSI.Mandatory",
  "SCSI.ModeSense6",
  "SCSI.NoMedia",
  "SCSI.Read6",
  "SCSI.Read10",
  "SCSI.Read12",
  "SCSI.Read16",
  "SCSI.ReadCapacity10",
  "SCSI.ReadCapacity16",
  "SCSI.ReadOnly",
  "SCSI.StartStopUnit",
  "SCSI.TestUnitReady",
  "SCSI.Unmap",
  "SCSI.Verify10",
  "SCSI.Verify16",
  "SCSI.Write10",
  "SCSI.Write12",
  "SCSI.Write16",
  "SCSI.WriteSame10",
  "SCSI.WriteSame16",
  "iSCSI.iSCSIcmdsn",
  "iSCSI.iSCSIdatasn",
  "iSCSI.iSCSIResiduals",
  "iSCSI.iSCSITMF",
  // Newer versions of the tool have these.
  "iSCSI.CHAP",
  "iSCSI.iSCSISendTargets",
  "iSCSI.iSCSINop",
];

const NO_ZERO_BLOCKS =
  "sees zero blocks refused, as WSNZ=1 announces, and has nothing more to look at then";
const NO_WRITE_AND_VERIFY = "WRITE AND VERIFY is optional and not there";

/** Tests that must run into the tool's own "skipped", and why that is right. */
export const SKIPPED_FOR_A_REASON: Readonly<Record<string, string>> = {
  "SCSI.ReadOnly.ReadOnlySBC":
    "writes in every way there is, of which COMPARE AND WRITE, ORWRITE and WRITE AND VERIFY are optional and not there",
  "SCSI.StartStopUnit.Simple":
    "ejects the medium, and a disk of ours has none that could be removed",
  "SCSI.WriteSame10.ZeroBlocks": NO_ZERO_BLOCKS,
  "SCSI.WriteSame16.ZeroBlocks": NO_ZERO_BLOCKS,
  "iSCSI.iSCSIResiduals.WriteVerify10Residuals": NO_WRITE_AND_VERIFY,
  "iSCSI.iSCSIResiduals.WriteVerify12Residuals": NO_WRITE_AND_VERIFY,
  "iSCSI.iSCSIResiduals.WriteVerify16Residuals": NO_WRITE_AND_VERIFY,
};

/**
 * Tests with a defect of the tool: the assertion that fails whatever the target does, and why. Where a newer version
 * of the tool has mended it, they pass.
 */
export const DEFECTIVE: Readonly<Record<string, { assertion: string; why: string }>> = {
  "iSCSI.iSCSITMF.LUNResetSimpleAsync": {
    assertion: "CU_ASSERT_EQUAL(reconnect_succeeded,1)",
    why: "it looks at what the answer to the reset sets right after queueing the reset, before it is even sent",
  },
};

/** These run on the read-only logical unit; all others on the writable one. */
export const ON_READ_ONLY_UNIT: readonly string[] = ["SCSI.ReadOnly.ReadOnlySBC"];

const ONE_BLOCK =
  "wants several logical blocks in a physical one, which blocks of 4096 bytes are not";

/** Skipped, besides those of {@link SKIPPED_FOR_A_REASON}, on a unit with blocks of 4096 bytes. */
export const SKIPPED_IN_LARGE_BLOCKS: Readonly<Record<string, string>> = {
  "SCSI.WriteSame10.UnmapUnaligned": ONE_BLOCK,
  "SCSI.WriteSame10.InvalidDataOutSize": ONE_BLOCK,
  "SCSI.WriteSame16.UnmapUnaligned": ONE_BLOCK,
  "SCSI.WriteSame16.InvalidDataOutSize": ONE_BLOCK,
};

/** Optional ones that must pass on a thin volume, which tells what is mapped. */
export const REQUIRED_ON_THIN: readonly string[] = [
  "SCSI.GetLBAStatus.Simple",
  "SCSI.GetLBAStatus.BeyondEol",
];

/** And in blocks of 4096 bytes: in others, it asks at the second block of a physical one and wants the answer to begin at the ninth. */
export const REQUIRED_IN_LARGE_BLOCKS: readonly string[] = ["SCSI.GetLBAStatus.UnmapSingle"];
