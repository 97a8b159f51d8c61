import { describe, expect, it } from "vitest";

import { LoginStatus } from "../../src/iscsi/login/login-status.ts";
import type { LoginResult } from "../../src/iscsi/login/login-types.ts";
import { defaultParameters } from "../../src/iscsi/parameters.ts";
import type { Session } from "../../src/iscsi/session.ts";
import { SessionRegistry } from "../../src/iscsi/session-registry.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { FakeConnection, fakeTarget, loginOf } from "./support/fake-login.ts";

const GROUP = 1;

interface Opened {
  readonly connection: FakeConnection;
  /** Null until the session may begin. */
  session: Session | null;
}

class Bench {
  readonly registry: SessionRegistry = new SessionRegistry();
  readonly fake = fakeTarget();

  /** Logs in as the login phase does: admission, then the session. */
  open(fields: Partial<LoginResult> = {}, group = GROUP): Opened {
    const candidate = loginOf(this.fake.target, { tsih: 0, ...fields });
    const admission = this.registry.admit(candidate, group);
    if (!admission.ok) throw new Error(admission.reason);
    const opened: Opened = { connection: new FakeConnection(candidate.cid), session: null };
    const login = { ...candidate, tsih: admission.tsih };
    this.registry.open(login, group, opened.connection, 1, (session) => {
      expect(opened.session).toBeNull();
      opened.session = session;
    });
    return opened;
  }

  /** Leaves one operation of the session running. */
  occupy({ connection, session }: Opened): void {
    if (session === null) throw new Error("the session has not begun");
    this.fake.volume.holding = true;
    const task = session.acquireTask(connection);
    task.tag = 1;
    task.nexus = session.nexus;
    task.unit = this.fake.unit;
    session.window.taskStarted();
    session.tasks.set(1, task);
    this.fake.unit.taskSet.add(task);
    task.runIo(IoKind.flush, 0, 0, false, (_unit, done) => done.complete(0));
  }
}

describe("SessionRegistry", () => {
  it("gives each session a TSIH of its own, never 0", () => {
    const bench = new Bench();
    const tsihs = Array.from({ length: 20 }, (_, index) => {
      const { session } = bench.open({ isid: `4000000000${index + 10}` });
      return session?.tsih;
    });
    expect(new Set(tsihs).size).toBe(20);
    expect(tsihs).not.toContain(0);
    expect(bench.registry.size).toBe(20);
  });

  it("tells of sessions that begin and end, until nobody listens", () => {
    const bench = new Bench();
    const heard: [string, number][] = [];
    const stop = bench.registry.subscribe((change, { tsih }) => void heard.push([change, tsih]));
    const first = bench.open();
    const again = bench.open();
    const [before, after] = [first.session?.tsih ?? 0, again.session?.tsih ?? 0];
    expect(heard).toEqual([
      ["opened", before],
      ["closed", before],
      ["opened", after],
    ]);
    if (again.session !== null) bench.registry.close(again.session, "it is enough");
    expect(heard.slice(3)).toEqual([["closed", after]]);
    stop();
    bench.open();
    expect(heard).toHaveLength(4);
  });

  it("gives no TSIH that is in use after it has been through all of them", () => {
    const bench = new Bench();
    const first = bench.open();
    const seen = new Set<number>();
    for (let count = 0; count < 65_534; count += 1) {
      const admission = bench.registry.admit(
        loginOf(bench.fake.target, { tsih: 0, isid: "400000000002" }),
        GROUP,
      );
      if (admission.ok) seen.add(admission.tsih);
    }
    expect(seen.size).toBe(65_534);
    expect(seen.has(first.session?.tsih ?? 0)).toBe(false);
    expect(seen.has(0)).toBe(false);
  });

  it("tells initiator ports and portal groups apart", () => {
    const bench = new Bench();
    const all = [
      bench.open(),
      bench.open({ isid: "400000000002" }),
      bench.open({ initiatorName: "iqn.2026-11.net.example:other" }),
      bench.open({}, 2),
    ];
    expect(bench.registry.size).toBe(4);
    expect(all.flatMap(({ connection }) => connection.drops)).toEqual([]);
    expect([...bench.registry.sessions]).toEqual(all.map(({ session }) => session));
  });

  it("ends the session before it, and begins when nothing of that is running", () => {
    const bench = new Bench();
    const old = bench.open();
    bench.occupy(old);
    const anew = bench.open();
    expect(old.connection.drops).toHaveLength(1);
    expect(anew.session).toBeNull();
    expect(bench.registry.size).toBe(1);
    bench.fake.volume.release();
    expect(anew.session?.open).toBe(true);
    expect(anew.session?.tsih).not.toBe(old.session?.tsih);
    expect(bench.registry.size).toBe(1);
  });

  it("lets only the last of several that wait for the same session stay", () => {
    const bench = new Bench();
    const old = bench.open();
    bench.occupy(old);
    const [second, third] = [bench.open(), bench.open()];
    bench.fake.volume.release();
    expect(second.session?.open).toBe(false);
    expect(second.connection.drops).toHaveLength(1);
    expect(third.session?.open).toBe(true);
    expect([...bench.registry.sessions]).toEqual([third.session]);
  });

  it("keeps the TSIH of a session whose connection comes back, and what belongs to the session", () => {
    const bench = new Bench();
    const parameters = { ...defaultParameters(), maxBurstLengthBytes: 4096, initialR2t: false };
    const old = bench.open({ parameters, cid: 3 });
    const tsih = old.session?.tsih ?? 0;
    const again = { ...defaultParameters(), headerDigest: true };
    again.initiatorMaxRecvDataSegmentLengthBytes = 777;
    const anew = bench.open({ tsih, cid: 3, parameters: again });
    expect(old.session?.open).toBe(false);
    expect(anew.session?.tsih).toBe(tsih);
    expect(anew.session?.parameters).toEqual({
      ...parameters,
      headerDigest: true,
      initiatorMaxRecvDataSegmentLengthBytes: 777,
    });
    expect(bench.registry.size).toBe(1);
  });

  it("admits no second connection, and none to a session that is not there", () => {
    const bench = new Bench();
    const { session } = bench.open({ cid: 1 });
    const tsih = session?.tsih ?? 0;
    const { target } = bench.fake;
    const admit = (fields: Partial<LoginResult>, group = GROUP): unknown =>
      bench.registry.admit(loginOf(target, fields), group);
    expect(admit({ tsih, cid: 2 })).toMatchObject({ status: LoginStatus.tooManyConnections });
    expect(admit({ tsih: tsih + 1, cid: 1 })).toMatchObject({
      status: LoginStatus.sessionDoesNotExist,
    });
    expect(admit({ tsih, cid: 1, isid: "400000000009" })).toMatchObject({
      status: LoginStatus.sessionDoesNotExist,
    });
    expect(admit({ tsih, cid: 1 }, 2)).toMatchObject({ status: LoginStatus.sessionDoesNotExist });
    expect(admit({ tsih, cid: 1 })).toEqual({ ok: true, tsih });
  });

  it("admits as many sessions as the target may have, and one in place of another", () => {
    const bench = new Bench();
    const { target } = bench.fake;
    target.configure({ maxSessions: 1 });
    bench.open();
    const other = loginOf(target, { tsih: 0, isid: "400000000002" });
    expect(bench.registry.admit(other, GROUP)).toMatchObject({
      ok: false,
      status: LoginStatus.outOfResources,
    });
    expect(bench.registry.admit(loginOf(target, { tsih: 0 }), GROUP).ok).toBe(true);
    expect(bench.registry.admit({ ...other, target: null }, GROUP).ok).toBe(true);
    expect([bench.registry.countOf(target.name), bench.registry.countOf("x")]).toEqual([1, 0]);
  });

  it("forgets a session when it has ended, not before", () => {
    const bench = new Bench();
    const opened = bench.open();
    bench.occupy(opened);
    const { session } = opened;
    if (session === null) throw new Error("no session");
    let done = false;
    bench.registry.close(session, "over", () => (done = true));
    expect([done, bench.registry.size]).toEqual([false, 1]);
    bench.fake.volume.release();
    expect([done, bench.registry.size]).toEqual([true, 0]);
    bench.registry.close(session, "again");
    expect(bench.registry.size).toBe(0);
  });
});
