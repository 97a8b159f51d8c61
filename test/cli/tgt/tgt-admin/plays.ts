import type { Play } from "./stage.ts";

/** A target as tgtd shows it. */
export function shownTarget(
  tid: number,
  name: string,
  { stores = [], acl = ["ALL"], users = [], sessions = [], state = "ready" }: ShownParts = {},
): string {
  const unit = (lun: number, type: string, path: string): string =>
    `        LUN: ${lun}
            Type: ${type}
            SCSI ID: IET     ${hex(tid)}${hex(lun)}
            SCSI SN: beaf${tid}${lun}
            Size: ${lun === 0 ? "0 MB, Block size: 1" : "17 MB, Block size: 512"}
            Online: Yes
            Removable media: No
            Prevent removal: No
            Readonly: No
            SWP: No
            Thin-provisioning: No
            Backing store type: ${lun === 0 ? "null" : "rdwr"}
            Backing store path: ${path}
            Backing store flags: 
`;
  const nexus = sessions.map(
    ([sid, cid]) => `        I_T nexus: ${sid}
            Initiator: iqn.2026-01.com.example:host alias: host
            Connection: ${cid}
                IP Address: 127.0.0.1
`,
  );
  const units = stores.map((path, index) => unit(index + 1, "disk", path));
  const items = (list: readonly string[]): string =>
    list.map((item) => `        ${item}\n`).join("");
  return `Target ${tid}: ${name}
    System information:
        Driver: iscsi
        State: ${state}
    I_T nexus information:
${nexus.join("")}    LUN information:
${unit(0, "controller", "None")}${units.join("")}    Account information:
${items(users)}    ACL information:
${items(acl)}`;
}

export interface ShownParts {
  readonly stores?: readonly string[];
  readonly acl?: readonly string[];
  readonly users?: readonly string[];
  readonly sessions?: readonly (readonly [sid: number, cid: number])[];
  readonly state?: string;
}

function hex(number: number): string {
  return number.toString(16).padStart(4, "0");
}

const IQN = "iqn.2026-01.com.example";
const CONF = "/stage/t.conf";

const DISKS = { "/stage/a.img": "a", "/stage/b.img": "b", "/stage/c.img": "c" };

const FULL = `
default-driver iscsi
iSNSServerIP 10.0.0.9
iSNSServerPort 3205
iSNSAccessControl On
iSNS On
incomingdiscoveryuser disco one
outgoingdiscoveryuser back two
<target ${IQN}:full>
  <backing-store /stage/b.img>
    lun 7
    vendor_id THIN
    write-cache off
  </backing-store>
  <backing-store /stage/a.img>
    scsi_sn SN-1
    bs-type aio
    bsoflags direct
    block-size 4096
    device-type cd
    mode_page 0x1c:0:10:8:0:0:0:0:0:0:0:0:0
    params vendor_id=a,product_id=b
  </backing-store>
  readonly 1
  product_id PROD
  incominguser alice secret1
  incominguser disco other
  outgoinguser bob secret2
  initiator-address 10.0.0.0/8
  initiator-address fe80::/10
  initiator-name ${IQN}:host
  MaxBurstLength 65536
  HeaderDigest CRC32C
  state offline
</target>
<target ${IQN}:plain>
  backing-store /stage/c.img
  controller_tid 9
</target>
<target ${IQN}:zero>
  backing-store /stage/nowhere.img
</target>
`;

const SMALL = `<target ${IQN}:one>\n  backing-store /stage/a.img\n</target>\n`;

const TWO = {
  target: shownTarget(3, `${IQN}:one`, { stores: ["/stage/a.img"] }),
  account: "Account list:\n    alice\n",
};

const IN_USE = {
  target: shownTarget(3, `${IQN}:one`, {
    stores: ["/stage/a.img"],
    acl: ["10.0.0.0/8", "127.0.0.1"],
    sessions: [[5, 0]],
  }),
};

const SHOWN = {
  target: shownTarget(1, `${IQN}:disk1`, {
    stores: ["/srv/d1.img"],
    users: ["alice", "bob (outgoing)"],
    acl: ["10.1.1.1", `${IQN}:host`],
  }),
  sys: "System:\n    State: ready\n",
};

const DEVICE = {
  inquiry: `standard INQUIRY:
 Vendor identification: ATA     
 Product identification: Disk 1          
 Product revision level: 2.5+
 Unit serial number: S1234
`,
  limits: `Block limits VPD page (SBC):
  Maximum compare and write length: 0 blocks [Command not implemented]
  Optimal transfer length granularity: 8 blocks
  Maximum transfer length: 65535 blocks
  Optimal transfer length: 128 blocks
`,
  capacity: `Read Capacity results:
   Logical block provisioning: lbpme=0, lbprz=0
   Last LBA=31 (0x1f), Number of logical blocks=32
   Logical block length=512 bytes
   Logical blocks per physical block exponent=3
   Lowest aligned logical block address=1
`,
};

function play(words: string, conf: string, more: Partial<Play> = {}): Play {
  return { words: words.split(" "), files: { ...DISKS, [CONF]: conf }, ...more };
}

/** What the golden transcripts are of. */
export const PLAYS: Readonly<Record<string, Play>> = {
  "all directives, told": play(`-e -v -c ${CONF}`, FULL),
  "all directives, pretended": play(`-e -p -c ${CONF}`, FULL),
  "all directives, quiet": play(`-e -c ${CONF}`, FULL),
  "all directives, as an update": play(`--update ALL -v -c ${CONF}`, FULL),
  "iSNS that is on": play(`-e -v -c ${CONF}`, FULL, { shows: { sys: "iSNS:\n    iSNS=On\n" } }),
  "a target that is there": play(`-e -v -c ${CONF}`, SMALL, { shows: TWO }),
  "a target that is not wanted": play(`-e -v -c ${CONF}`, `<target ${IQN}:two>\n</target>\n`, {
    shows: TWO,
  }),
  "no target at all": play(`-e -v -c ${CONF}`, "default-driver iscsi\n", { shows: TWO }),
  "no target at all, as an update": play(`--update ALL -v -c ${CONF}`, "", { shows: TWO }),
  "one target by name": play(`--update ${IQN}:one -v -c ${CONF}`, SMALL, { shows: TWO }),
  "one target by number": play(`--update tid=3 -v -c ${CONF}`, SMALL, { shows: TWO }),
  "one target by a number that is not there": play(`--update tid=8 -c ${CONF}`, SMALL, {
    shows: TWO,
  }),
  "a target that is nowhere": play(`--update ${IQN}:no -v -c ${CONF}`, SMALL, { shows: TWO }),
  "a new target as an update": play(
    `--update ${IQN}:new -v -c ${CONF}`,
    FULL + SMALL.replace("one", "new"),
    { shows: TWO },
  ),
  "an update that is pretended": play(`--update ALL -p -c ${CONF}`, FULL + SMALL, { shows: TWO }),
  "an update of a target in use": play(`--update ALL -v -c ${CONF}`, SMALL, { shows: IN_USE }),
  "an update that is forced": play(`--update ALL -f -v -c ${CONF}`, SMALL, { shows: IN_USE }),
  "a target in use that is not wanted": play(`-e -v -c ${CONF}`, "<target x>\n</target>\n", {
    shows: IN_USE,
  }),
  "a target in use that is deleted": play("--delete ALL -v", "", { shows: IN_USE }),
  "a target in use that is deleted by force": play(`--delete ${IQN}:one -f -v`, "", {
    shows: IN_USE,
  }),
  "deletion by number": play("--delete tid=3 -v", "", { shows: TWO }),
  "deletion by a number that is not there": play("--delete tid=4 -v", "", { shows: TWO }),
  "deletion by a name that is not there": play("--delete nobody -v", "", { shows: TWO }),
  "all offline": play("--offline ALL -v", "", { shows: TWO }),
  "one ready by number": play("--ready tid=77 -v", "", { shows: TWO }),
  "one ready by name": play(`--ready ${IQN}:one -v`, "", { shows: TWO }),
  "one offline by a name that is not there": play("--offline nobody -v", "", { shows: TWO }),
  "ready and offline": play("--ready ALL --offline ALL", ""),
  "a list": play("--show", "", { shows: TWO }),
  "a list, pretended": play("--show -p", "", { shows: TWO }),
  "a dump": play("--dump", "", { shows: SHOWN }),
  "a dump of nothing": play("--dump", "", { shows: { sys: "System:\n" } }),
  "a device that is open": play(`-e -v -c ${CONF}`, SMALL, { open: ["/stage/a.img"] }),
  "a device that is open, forced": play(`-e -f -v -c ${CONF}`, SMALL, { open: ["/stage/a.img"] }),
  "a device that may be open": play(
    `-e -v -c ${CONF}`,
    SMALL.replace("</target>", "allow-in-use yes\n</target>"),
    { open: ["/stage/a.img"] },
  ),
  "a direct store": play(
    `-e -v -c ${CONF}`,
    `<target ${IQN}:d>\n<direct-store /stage/a.img>\nproduct_id MINE\n</direct-store>\n</target>\n`,
    { device: DEVICE },
  ),
  "a command that fails": play(`-e -c ${CONF}`, SMALL, { failing: { at: 2, status: 22 } }),
  "a failure that is ignored": play(`-e --ignore-errors -c ${CONF}`, SMALL, {
    failing: { at: 2, status: 22 },
  }),
  "a failure that the file ignores": play(`-e -v -c ${CONF}`, `ignore-errors yes\n${SMALL}`, {
    failing: { at: 2, status: 22 },
  }),
  "a failure at the last command": play("--delete tid=3", "", {
    shows: TWO,
    failing: { at: 1, status: 107 },
  }),
  "a control port": play(`-C 5 -e -v -c ${CONF}`, SMALL),
  "two control ports": play(`-C 5 -e -c ${CONF}`, `control-port 5\n`),
  "no file": play("-e -c /stage/none.conf", ""),
  "no action": play("-v", ""),
  "names cut short": play(`--exec --verb --conf=${CONF}`, SMALL),
  "one dash and a plus": play(`-execute +v -conf ${CONF}`, SMALL),
  "options that are none": play("--bogus -xyz --d --e=3 -- --execute", ""),
  "options without values": play("--delete= --conf", ""),
  "values that are nothing": play("--delete 0 --update 0 --ready 0", ""),
  "an include": {
    words: ["-e", "-v", "-c", CONF],
    files: {
      ...DISKS,
      [CONF]: "include /stage/conf.d/*.conf\n",
      "/stage/conf.d/1.conf": SMALL,
      "/stage/conf.d/2.conf": `<target ${IQN}:two>\n  backing-store /stage/b.img\n</target>\n`,
    },
  },
};
