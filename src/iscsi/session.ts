import { assert } from "../util/assert.ts";
import { TaskManagementFunction, type TaskManagementResponse } from "../scsi/task-management.ts";
import type { Nexus } from "../scsi/nexus.ts";
import { CommandWindow } from "./command-window.ts";
import { IscsiTask } from "./iscsi-task.ts";
import { ABORTED_TAGS_MAX, COMMAND_WINDOW } from "./limits.ts";
import type { LoginResult } from "./login/login-types.ts";
import type { SessionParameters } from "./parameters.ts";
import type { IscsiTarget } from "./target.ts";
import type { TaskLink, TaskOwner } from "./task-link.ts";

/** The connection as its session sees it. */
export interface SessionConnection extends TaskLink {
  readonly cid: number;
  /** Ends the connection; the session ends with it, unless it has another one by then. */
  drop(reason: string): void;
}

/**
 * A normal session: one I_T nexus, its command numbering, and its tasks (RFC 7143 4.4.3). It lives exactly as long as
 * its connection, because recovery level 0 has nothing that would outlive it.
 */
export class Session implements TaskOwner {
  readonly initiatorName: string;
  readonly initiatorAlias: string | null;
  readonly isid: string;
  readonly tsih: number;
  readonly target: IscsiTarget;
  readonly account: string | null;
  readonly parameters: SessionParameters;
  readonly nexus: Nexus;
  readonly window: CommandWindow;
  /** By initiator task tag: every command that was not answered. */
  readonly tasks: Map<number, IscsiTask> = new Map();
  /** Its number among all sessions of the server, from 1 on. Given by the registry. */
  sid = 0;
  /** When the last request of its login came, in milliseconds of the server's clock. */
  readonly loggedInMs: number;
  connection: SessionConnection | null;
  /** Immediate commands at work, which the window does not count. */
  immediateCount = 0;

  readonly #free: IscsiTask[] = [];
  #serial = 0;
  /** Tags of tasks that were aborted lately: their data may still be on the way. */
  readonly #abortedTags: number[] = [];
  #state: "open" | "closing" | "closed" = "open";
  readonly #onClosed: (() => void)[] = [];

  constructor(
    login: LoginResult,
    tsih: number,
    portalGroupTag: number,
    connection: SessionConnection,
    firstCmdSn: number,
  ) {
    assert(login.target !== null, "a normal session has a target");
    this.initiatorName = login.initiatorName;
    this.initiatorAlias = login.initiatorAlias;
    this.isid = login.isid;
    this.tsih = tsih;
    this.target = login.target;
    this.account = login.account;
    this.parameters = login.parameters;
    this.connection = connection;
    this.loggedInMs = connection.receivedMs;
    this.window = new CommandWindow(firstCmdSn, COMMAND_WINDOW);
    this.nexus = login.target.device.openNexus({
      initiatorPort: `${login.initiatorName},i,0x${login.isid}`,
      relativePortId: portalGroupTag,
    });
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /** A task for a new command; its fields are reset. */
  acquireTask(link: TaskLink): IscsiTask {
    const task = this.#free.pop();
    if (task === undefined) return new IscsiTask(this, link, this.#serial++);
    task.reset();
    task.link = link;
    return task;
  }

  /** A task was answered, or never will be. */
  retireTask(task: IscsiTask, aborted: boolean): void {
    const known = this.tasks.delete(task.tag);
    assert(known, "a task retires once");
    if (task.immediate) this.immediateCount -= 1;
    else this.window.taskEnded();
    if (aborted) {
      this.#abortedTags.push(task.tag);
      if (this.#abortedTags.length > ABORTED_TAGS_MAX) this.#abortedTags.shift();
    }
    if (!task.ioRunning) this.reuseTask(task);
  }

  reuseTask(task: IscsiTask): void {
    assert(task.retired && !task.ioRunning, "nothing uses a task that is reused");
    if (this.#free.length < COMMAND_WINDOW) this.#free.push(task);
  }

  /** Whether a task with this tag was aborted lately. */
  wasAborted(tag: number): boolean {
    return this.#abortedTags.includes(tag);
  }

  /** Aborts all tasks of the nexus and calls `done` when none of them uses anything any more. */
  abortTasks(done: (response: TaskManagementResponse) => void): void {
    const request = { nexus: this.nexus, function: TaskManagementFunction.nexusLoss };
    this.target.device.manage({ ...request, lun: 0, tag: 0 }, (response) => {
      this.forgetAnswered(() => true);
      done(response);
    });
  }

  /**
   * Drops tasks whose response is decided and waits for data that an aborting initiator will not send any more. They are in
   * no task set, so no task management function reaches them there. Returns how many there were.
   */
  forgetAnswered(matches: (task: IscsiTask) => boolean): number {
    let count = 0;
    for (const task of this.tasks.values()) {
      // One that was aborted leaves by itself: its last I/O may be what brought us here.
      if (!task.ended || task.aborted || !matches(task)) continue;
      count += 1;
      task.retired = true;
      task.statistics?.abort(task.operation);
      task.dataOut.stop();
      this.retireTask(task, true);
    }
    return count;
  }

  /**
   * Ends the session: aborts its tasks, takes its connection down, and calls `done` when no I/O of its is running any
   * more. Only then may another session of the same initiator begin: a late write must not meet a newer one.
   */
  close(reason: string, done: () => void): void {
    if (this.#state === "closed") {
      done();
      return;
    }
    this.#onClosed.push(done);
    if (this.#state === "closing") return;
    this.#state = "closing";
    const { connection } = this;
    this.connection = null;
    connection?.drop(reason);
    this.target.device.closeNexus(this.nexus, () => {
      this.forgetAnswered(() => true);
      this.#state = "closed";
      for (const callback of this.#onClosed.splice(0)) callback();
    });
  }
}
