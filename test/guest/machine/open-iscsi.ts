import type { Guest, Outcome } from "./guest.ts";

/** Settings of a node record, by the names that iscsiadm has for them. */
export type NodeSettings = Readonly<Record<string, string>>;

/** Names under which guests reach the host. */
export const HOST_SEEN_BY_GUEST = "10.0.2.2";

/** Settings of a node record that make the kernel's initiator prove who it is, and perhaps ask the same of the target. */
export function chap(user: string, secret: string, mutual?: [string, string]): NodeSettings {
  return {
    "node.session.auth.authmethod": "CHAP",
    "node.session.auth.username": user,
    "node.session.auth.password": secret,
    ...(mutual === undefined
      ? {}
      : {
          "node.session.auth.username_in": mutual[0],
          "node.session.auth.password_in": mutual[1],
        }),
  };
}

/** Settings of a node record that protect headers and data by CRC32C. */
export const DIGESTS: NodeSettings = {
  "node.conn[0].iscsi.HeaderDigest": "CRC32C",
  "node.conn[0].iscsi.DataDigest": "CRC32C",
};

/** The Open-iSCSI initiator of a guest, turned to one portal of the host. */
export class OpenIscsi {
  readonly guest: Guest;
  readonly portal: string;

  constructor(guest: Guest, port: number) {
    this.guest = guest;
    this.portal = `${HOST_SEEN_BY_GUEST}:${port}`;
  }

  /** Asks for the targets, and returns the lines `address:port,group name`. Makes a record of each. */
  async discover(): Promise<string[]> {
    const lines = await this.guest.run(`iscsiadm -m discovery -t sendtargets -p ${this.portal}`);
    return lines.trim().split("\n").sort();
  }

  /** Makes or changes the record of a target, without asking the target. */
  async record(target: string, settings: NodeSettings = {}): Promise<void> {
    const node = this.#node(target);
    const updates = Object.entries(settings).map(
      ([name, value]) => `${node} -o update -n '${name}' -v '${value}'`,
    );
    await this.guest.run([`${node} -o new > /dev/null`, ...updates].join("\n"));
  }

  async attemptLogin(target: string): Promise<Outcome> {
    return this.guest.attempt(`${this.#node(target)} --login`);
  }

  /** Records the target, logs in to it, and returns the name of its disk's device file. */
  async login(target: string, settings: NodeSettings = {}, lun = 0): Promise<string> {
    await this.record(target, settings);
    await this.guest.run(`${this.#node(target)} --login`);
    return this.disk(target, lun);
  }

  /** The device file of a LUN, once the kernel has it. */
  async disk(target: string, lun = 0): Promise<string> {
    const link = `/dev/disk/by-path/ip-${this.portal}-iscsi-${target}-lun-${lun}`;
    const output = await this.guest.run(`
      for attempt in {1..240}; do
        [ -b ${link} ] && { udevadm settle; readlink -f ${link}; exit 0; }
        sleep 0.25
      done
      echo "no ${link}"; ls -l /dev/disk/by-path; exit 1`);
    return output.trim();
  }

  async logout(target: string): Promise<void> {
    const node = this.#node(target);
    await this.guest.run(`${node} --logout && ${node} -o delete`);
  }

  /** What the initiator tells about its sessions at the given level of detail, 0 to 3. */
  async sessions(level: number): Promise<string> {
    const { status, output } = await this.guest.attempt(`iscsiadm -m session -P ${level}`);
    return status === 0 ? output : "";
  }

  #node(target: string): string {
    return `iscsiadm -m node -T ${target} -p ${this.portal}`;
  }
}
