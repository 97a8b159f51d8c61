/**
 * A targets.conf of two targets with all kinds of directives, over the files one.img and two.img of a folder.
 *
 * @param scsiId of the first unit: another one is another disk
 */
export function twoTargetsConf(folder: string, scsiId: string): string {
  return `default-driver iscsi
<target iqn.2026-01.com.example:one>
  <backing-store ${folder}/one.img>
    scsi_id ${scsiId}
    write-cache off
    vendor_id ME
    lun 3
  </backing-store>
  <backing-store ${folder}/two.img>
    bs-type aio
    block-size 4096
    readonly 1
    lun 4
  </backing-store>
  incominguser alice secretsecret
  outgoinguser bob secretsecret1
  initiator-address 10.0.0.0/8
  MaxRecvDataSegmentLength 65536
</target>
<target iqn.2026-01.com.example:two>
  backing-store ${folder}/two.img
  bsoflags direct
  initiator-name iqn.2026-01.com.example:host
</target>
`;
}

/** So that two runs of tgt's script say the same: Perl has another order of targets each time otherwise. */
export const IN_ONE_ORDER: readonly string[] = ["PERL_HASH_SEED=0", "PERL_PERTURB_KEYS=0"];
