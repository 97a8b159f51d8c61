import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { Daemon } from "../support/daemon.ts";
import { Guest } from "./machine/guest.ts";
import { HOST_SEEN_BY_GUEST, OpenIscsi, chap } from "./machine/open-iscsi.ts";

const accelerator = inject("accelerator");

const PLAIN = "iqn.2026-11.net.example:plain";
const OTHER = "iqn.2026-11.net.example:other";
const CHAP = "iqn.2026-11.net.example:chap";
const MUTUAL = "iqn.2026-11.net.example:mutual";
const FORBIDDEN = "iqn.2026-11.net.example:forbidden";
const MOVED = "iqn.2026-11.net.example:moved";
const LUN = 0;

const ALICE = { user: "alice", password: "secret-of-alice" };
const TARGET_SELF = { user: "thinlun", password: "secret-of-target" };
const DISCOVERER = { user: "scout", password: "secret-of-scout" };

/** What iscsiadm exits with when the target refuses the login for want of authorization (status class 2, detail 1 and 2). */
const ISCSI_ERR_LOGIN_AUTH_FAILED = 24;
/** What it exits with when it breaks the login off itself, because the target has not proved who it is. */
const ISCSI_ERR_FATAL_LOGIN = 19;

function targets(redirectPort: number): object[] {
  const luns = [{ lun: LUN, volume: "disk" }];
  return [
    { name: PLAIN, luns },
    { name: OTHER, luns: [{ lun: LUN, volume: "other" }] },
    { name: CHAP, luns: [{ lun: LUN, volume: "third" }], auth: { accounts: [ALICE] } },
    {
      name: MUTUAL,
      luns: [{ lun: LUN, volume: "fourth" }],
      auth: { accounts: [ALICE], mutual: TARGET_SELF },
    },
    { name: FORBIDDEN, luns: [], allow: { initiators: ["iqn.2026-11.net.example:somebody-else"] } },
    {
      name: MOVED,
      luns: [],
      redirect: { address: `${HOST_SEEN_BY_GUEST}:${redirectPort}`, permanent: false },
    },
  ];
}

describe.skipIf(accelerator === "none")("the kernel's initiator logs in", () => {
  let guest: Guest;
  let daemon: Daemon;
  /** Asks for a secret before it tells its targets, and is where the moved target has gone. */
  let second: Daemon;
  let initiator: OpenIscsi;

  beforeAll(async () => {
    second = await Daemon.start(
      () => ({
        volumes: { disk: { driver: "memory", size: "8MiB" } },
        targets: [{ name: MOVED, luns: [{ lun: LUN, volume: "disk" }] }],
        discovery: { auth: { accounts: [DISCOVERER] } },
      }),
      HOST_SEEN_BY_GUEST,
    );
    daemon = await Daemon.start(
      () => ({
        volumes: Object.fromEntries(
          ["disk", "other", "third", "fourth"].map((name, index) => [
            name,
            { driver: "memory", size: `${8 * (index + 1)}MiB` },
          ]),
        ),
        targets: targets(second.port),
      }),
      HOST_SEEN_BY_GUEST,
    );
    guest = await Guest.boot(accelerator === "kvm" ? "kvm" : "tcg");
    initiator = new OpenIscsi(guest, daemon.port);
  });

  afterEach(async () => {
    // A test leaves nothing to the next one, even where it failed half-way.
    await guest.run(`
      iscsiadm -m session -u || true
      iscsiadm -m node -o delete || true
      iscsiadm -m discoverydb -o delete || true
      rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets`);
  });

  afterAll(async () => {
    await guest?.powerOff();
    await daemon?.dispose();
    await second?.dispose();
  });

  it("discovers every target that it may see, at the advertised address", async () => {
    const expected = [CHAP, MOVED, MUTUAL, OTHER, PLAIN].map(
      (name) => `${initiator.portal},1 ${name}`,
    );
    expect(await initiator.discover()).toEqual(expected);
  });

  it("logs in, reads the size, and logs out", async () => {
    const disk = await initiator.login(PLAIN, {}, LUN);
    expect(await guest.run(`blockdev --getsize64 ${disk}`)).toBe(`${8 << 20}\n`);
    await initiator.logout(PLAIN);
    expect(await initiator.sessions(0)).toBe("");
    await guest.run(`udevadm settle; test ! -b ${disk}`);
  });

  it("negotiates parameters that let data flow", async () => {
    await initiator.login(PLAIN, {}, LUN);
    const detail = await initiator.sessions(3);
    const value = (name: string): string =>
      new RegExp(`^\\s*${name}: (\\S+)`, "m").exec(detail)?.[1] ?? `no ${name} in ${detail}`;
    expect(value("MaxRecvDataSegmentLength")).toBe("262144");
    expect(Number(value("MaxXmitDataSegmentLength"))).toBeGreaterThanOrEqual(262144);
    expect(value("ImmediateData")).toBe("Yes");
    expect(value("InitialR2T")).toBe("No");
    expect(Number(value("FirstBurstLength"))).toBeGreaterThanOrEqual(262144);
    expect(Number(value("MaxBurstLength"))).toBeGreaterThanOrEqual(262144);
    expect(value("HeaderDigest")).toBe("None");
    expect(value("DataDigest")).toBe("None");
  });

  it("uses several targets at once, each with a disk of its own", async () => {
    const disks = [await initiator.login(PLAIN, {}, LUN), await initiator.login(OTHER, {}, LUN)];
    const sizes = await guest.run(`blockdev --getsize64 ${disks.join(" ")}`);
    expect(sizes).toBe(`${8 << 20}\n${16 << 20}\n`);
  });

  it("holds two sessions to one target, and sees one and the same disk through both", async () => {
    await initiator.login(PLAIN, { "node.session.nr_sessions": "2" }, LUN);
    const names = await guest.run(`
      for attempt in {1..120}; do
        [ "$(ls /sys/class/iscsi_session | wc -l)" = 2 ] && [ "$(ls -d /sys/block/sd* | wc -l)" = 2 ] && break
        sleep 0.5
      done
      udevadm settle
      ls /sys/block | grep ^sd`);
    const [first = "", other = "", ...more] = names.trim().split("\n");
    expect(more).toEqual([]);
    expect(other).not.toBe("");
    await guest.run(`
      [ "$(sg_vpd -q --page=di /dev/${first})" = "$(sg_vpd -q --page=di /dev/${other})" ]
      head -c 65536 /dev/urandom > /tmp/pattern
      dd if=/tmp/pattern of=/dev/${first} bs=64k oflag=direct status=none
      dd if=/dev/${other} bs=64k count=1 iflag=direct status=none | cmp - /tmp/pattern`);
  });

  it("proves who it is by CHAP", async () => {
    const disk = await initiator.login(CHAP, chap(ALICE.user, ALICE.password), LUN);
    await guest.run(`dd if=${disk} of=/dev/null bs=1M count=4 iflag=direct status=none`);
  });

  it("has the target prove itself too", async () => {
    const settings = chap(ALICE.user, ALICE.password, [TARGET_SELF.user, TARGET_SELF.password]);
    const disk = await initiator.login(MUTUAL, settings, LUN);
    await guest.run(`dd if=${disk} of=/dev/null bs=1M count=4 iflag=direct status=none`);
  });

  it.each([
    ["with a wrong secret", CHAP, chap(ALICE.user, "not-the-secret")],
    ["with an unknown name", CHAP, chap("mallory", ALICE.password)],
    ["without any", CHAP, {}],
    ["by its name", FORBIDDEN, {}],
  ])("is refused %s, and told that it lacks authorization", async (_, target, settings) => {
    await initiator.record(target, settings);
    const { status, output } = await initiator.attemptLogin(target);
    expect(output).toMatch(/authorization failure/);
    expect(status).toBe(ISCSI_ERR_LOGIN_AUTH_FAILED);
    expect(await initiator.sessions(0)).toBe("");
  });

  it("refuses a target that does not know the secret it should have", async () => {
    const settings = chap(ALICE.user, ALICE.password, [TARGET_SELF.user, "not-its-secret"]);
    await initiator.record(MUTUAL, settings);
    const { status } = await initiator.attemptLogin(MUTUAL);
    expect(status).toBe(ISCSI_ERR_FATAL_LOGIN);
    expect(await initiator.sessions(0)).toBe("");
  });

  it("is told when a target is not there", async () => {
    await initiator.record("iqn.2026-11.net.example:nowhere");
    const { status, output } = await initiator.attemptLogin("iqn.2026-11.net.example:nowhere");
    expect(output).toMatch(/not found|could not log into all portals/i);
    expect(status).not.toBe(0);
  });

  it("needs a secret to discover, where one is asked for", async () => {
    const portal = `${HOST_SEEN_BY_GUEST}:${second.port}`;
    const database = `iscsiadm -m discoverydb -t sendtargets -p ${portal}`;
    const { status } = await guest.attempt(`${database} --discover`);
    expect(status).toBe(ISCSI_ERR_LOGIN_AUTH_FAILED);
    const found = await guest.run(`
      ${database} -o new > /dev/null
      ${database} -o update -n discovery.sendtargets.auth.authmethod -v CHAP
      ${database} -o update -n discovery.sendtargets.auth.username -v ${DISCOVERER.user}
      ${database} -o update -n discovery.sendtargets.auth.password -v ${DISCOVERER.password}
      ${database} --discover`);
    expect(found.trim()).toBe(`${portal},1 ${MOVED}`);
  });

  it("follows a redirection to where the target has moved", async () => {
    await initiator.record(MOVED);
    const { status, output } = await initiator.attemptLogin(MOVED);
    expect(output).toMatch(/successful/);
    expect(status).toBe(0);
    const detail = await initiator.sessions(1);
    expect(detail).toContain(`Current Portal: ${HOST_SEEN_BY_GUEST}:${second.port},1`);
    expect(detail).toContain(`Persistent Portal: ${initiator.portal},1`);
  });
});
