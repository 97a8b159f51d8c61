import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBootFiles } from "./boot-files.ts";
import type { Qemu } from "./qemu.ts";
import { startQemu } from "./qemu.ts";

/** How a script in the guest ended. */
export interface Outcome {
  readonly status: number;
  /** Standard output and standard error, in the order of writing. */
  readonly output: string;
}

const MEMORY_MIB = 1024;
const BOOT_LIMIT_MS = 240_000;
const SCRIPT_LIMIT_MS = 600_000;

/**
 * A Linux guest that runs shell scripts as root, one at a time. To it, the host's 127.0.0.1 is 10.0.2.2.
 * What a script leaves in the background goes on between the scripts.
 */
export class Guest {
  readonly #folder: string;
  readonly #server: Server;
  readonly #qemu: Qemu;
  #port: Socket | undefined;
  #received = "";
  #wake: () => void = () => {};

  private constructor(folder: string, server: Server, qemu: Qemu) {
    this.#folder = folder;
    this.#server = server;
    this.#qemu = qemu;
    server.on("connection", (socket) => {
      this.#port = socket;
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        this.#received += chunk.toString("latin1");
        this.#wake();
      });
      socket.on("close", () => this.#wake());
    });
  }

  /**
   * Boots a guest and waits until it takes scripts.
   * @param disk the image of a root with systemd, as debian-root.ts makes it; else the root is this machine's
   */
  static async boot(accelerator: "kvm" | "tcg", disk?: string): Promise<Guest> {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-guest-"));
    const controlSocket = join(folder, "control");
    const server = createServer();
    server.listen(controlSocket);
    await once(server, "listening");
    const bootFiles = makeBootFiles(folder, disk !== undefined);
    const memoryMib = MEMORY_MIB;
    const qemu = startQemu({ ...bootFiles, accelerator, memoryMib, controlSocket, disk });
    const guest = new Guest(folder, server, qemu);
    try {
      const greeting = await guest.#readLine(BOOT_LIMIT_MS);
      if (greeting !== "ready") throw new Error(`the guest says ${greeting}`);
      return guest;
    } catch (error) {
      await guest.powerOff();
      throw error;
    }
  }

  /** Runs a bash script (under `set -euo pipefail`) and returns how it ended. */
  async attempt(script: string): Promise<Outcome> {
    this.#port?.write(`${Buffer.from(script).toString("base64")}\n`);
    const [status = "", output = ""] = (await this.#readLine(SCRIPT_LIMIT_MS)).split(" ");
    return { status: Number(status), output: Buffer.from(output, "base64").toString() };
  }

  /** Runs a script that must succeed, and returns its output. */
  async run(script: string): Promise<string> {
    const { status, output } = await this.attempt(script);
    if (status !== 0) {
      throw new Error(
        `status ${status} of\n${script}\n--- it said\n${output}${this.#consoleTail()}`,
      );
    }
    return output;
  }

  async powerOff(): Promise<void> {
    await this.#qemu.kill();
    this.#port?.destroy();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #readLine(limitMs: number): Promise<string> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#wake();
    }, limitMs);
    try {
      while (!this.#received.includes("\n")) {
        if (expired) throw new Error(`no answer within ${limitMs} ms${this.#consoleTail()}`);
        if (this.#qemu.ended || this.#port?.closed === true) {
          throw new Error(`the guest has ended${this.#consoleTail()}`);
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
    const end = this.#received.indexOf("\n");
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 1);
    return line;
  }

  #consoleTail(): string {
    return `\n--- the guest's console\n${this.#qemu.console.slice(-4000)}`;
  }
}
