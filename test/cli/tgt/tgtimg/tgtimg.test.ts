import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Ending } from "../../../../src/cli/tgt/ending.ts";
import { TGTIMG_HELP } from "../../../../src/cli/tgt/tgtimg/help.ts";
import { newDisc, newDisk } from "../../../../src/cli/tgt/tgtimg/new-disk.ts";
import { newTape } from "../../../../src/cli/tgt/tgtimg/new-tape.ts";
import { TGTIMG_OPTIONS } from "../../../../src/cli/tgt/tgtimg/options.ts";
import { showTape } from "../../../../src/cli/tgt/tgtimg/show-tape.ts";
import { TapeBlock, TapeMedium } from "../../../../src/cli/tgt/tgtimg/tape-layout.ts";
import { tgtimg } from "../../../../src/cli/tgt/tgtimg/tgtimg.ts";
import { endlessTape, tapeOf } from "./tapes.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-tgtimg-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "some.img");

const MIB = 1024 * 1024;

/** Milliseconds since 1970 at which a tape was made with tgtimg 1.0.85. */
const NOW = 1_795_447_650_123;

function run(line: string): Promise<Ending> {
  return tgtimg(line.split(" "), { calledAs: "tgtimg", variables: {} }, () => NOW);
}

const HINT = "Try `tgtimg --help' for more information.\n";

describe("tgtimg", () => {
  it.each([
    ["-Y disk", "specify the operation type"],
    ["-o new", "specify a newly created file"],
    ["-o show -Y disk", "specify a newly created file"],
    ["-o show -Y disk -f x", "unknown the operation type"],
    ["-o new -f x", "Missing media type: WORM, CLEAN or DATA"],
    ["-o new -f x -t disk", "Media type must be WORM, CLEAN or DATA for tape devices"],
    ["-o new -f x -t data -s 1", "Missing the barcode param"],
    ["-o new -f x -t data -b 1", "Missing the capacity param"],
    ["-o new -f x -Y disk -s 1", "Missing media type: DISK"],
    ["-o new -f x -Y disk -t data", "Media type must be DISK for disk devices"],
    ["-o new -f x -Y disk -t disk", "Missing the capacity param"],
    ["-o new -f x -Y cd", "Missing media type: DVD+R"],
    ["-o new -f x -Y cd -t disk", "Media type must be DVD+R for cd devices"],
    ["-o new -f x y", "unrecognized option 'y'"],
  ])("%s", async (line, words) => {
    const stderr = `tgtimg: ${words}\n${HINT}`;
    expect(await run(line)).toEqual({ status: 22, stdout: "", stderr });
  });

  it("has words of its own for operations, devices and options that are none", async () => {
    expect(await run("-o neww")).toEqual({
      status: 1,
      stdout: "",
      stderr: "tgtimg: unknown operation: neww\n",
    });
    expect(await run("-Y pt")).toMatchObject({
      status: 22,
      stderr: "tgtimg: unknown target type: pt\n",
    });
    expect((await run("--frob")).stderr).toBe(
      `tgtimg: unrecognized option '--frob'\ntgtimg: unrecognized option '(null)'\n${HINT}`,
    );
  });

  it("helps, with every option", async () => {
    expect(await run("--he")).toEqual({ status: 0, stdout: TGTIMG_HELP, stderr: "" });
    for (const { long } of TGTIMG_OPTIONS) expect(TGTIMG_HELP).toContain(`--${long}`);
  });
});

describe("the image of a disk", () => {
  it("has all of its blocks, and nothing of what was there", async () => {
    writeFileSync(file, "x".repeat(3 * MIB));
    const { status, stdout } = await run(
      `--op new --device-type disk --type disk --size 2 --file ${file}`,
    );
    expect([status, stdout]).toEqual([0, `Created blank DISK image file : ${file}\n`]);
    expect(readFileSync(file)).toEqual(Buffer.alloc(2 * MIB));
    expect(statSync(file).blocks * 512).toBeGreaterThanOrEqual(2 * MIB);
  });

  it("has no blocks with thin provisioning, and the size that was asked for", async () => {
    rmSync(file, { force: true });
    // More than 4 TiB, with which tgtimg 1.0.85 begins anew.
    const sizeMib = 5 * MIB;
    expect(await newDisk(file, `${sizeMib}`, true)).toMatchObject({ status: 0 });
    const { size, blocks, mode } = statSync(file);
    expect([size, blocks, mode & 0o777 & 0o640]).toEqual([sizeMib * MIB, 0, mode & 0o777]);
  });

  it.each(["0", "", "x", "-1", "0x10"])("is not of %j MiB", async (size) => {
    expect(await newDisk(join(folder, "never.img"), size, true)).toEqual({
      status: 3,
      stdout: "Capacity must be > 0\n",
      stderr: "",
    });
    expect(() => statSync(join(folder, "never.img"))).toThrow("ENOENT");
  });

  it("is not larger than a file can be", async () => {
    for (const isThin of [true, false]) {
      expect(await newDisk(file, "99999999999999999999", isThin)).toEqual({
        status: 6,
        stdout: "",
        stderr: "Failed to set file size: File too large\n",
      });
    }
  });

  it("is of a file that can be created", async () => {
    const stderr = "Failed creating file: Not a directory\n";
    for (const ending of [await newDisk(`${file}/x`, "1", false), newDisc(`${file}/x`)]) {
      expect(ending).toEqual({ status: 2, stdout: "", stderr });
    }
  });

  it("of a DVD is empty", async () => {
    writeFileSync(file, "text");
    const { stdout } = await run(`-o new -Y cd -t DVD+R -f ${file}`);
    expect(stdout).toBe(`Created blank DVD+R image file : ${file}\n`);
    expect(statSync(file).size).toBe(0);
  });
});

describe("the image of a tape", () => {
  it("is byte for byte what tgtimg 1.0.85 makes", async () => {
    expect(await run(`-o new -t data -s 10 -b 123 -f ${file}`)).toEqual({
      status: 0,
      stdout: "blk_sz: 10, next 1152, 1152\nSizeof(mam): 1104, sizeof(h): 48\n",
      stderr: "",
    });
    const bytes = readFileSync(file);
    expect(bytes).toHaveLength(1200);
    const recorded: Readonly<Record<number, string>> = {
      0: "4f20100c000000000000000a00000010",
      0x20: "00000000000000000000000000000480",
      0x30: "00000002000000000000000000a00000",
      0x40: "0000000000a000000000000000000000",
      0x50: "00000000000000000000000000000100",
      0x130: "466f6f20202020203132335f31373935",
      0x140: "34343736353000000000000000000000",
      0x150: "0000000000000000000001800000007f",
      0x180: "01000000000000004261722020202020",
      0x260: "00000000000000003132332020202020",
      0x270: "20202020202020202020202020202020",
      0x280: "20202020202020000000000000000000",
      0x480: "72951469000000000000000000000020",
      0x490: "00000000000000010000000000000000",
      0x4a0: "00000000000004800000000000000480",
    };
    for (let offset = 0; offset < bytes.length; offset += 16) {
      const row = bytes.toString("hex", offset, offset + 16);
      expect(row, `at ${offset}`).toBe(recorded[offset] ?? "0".repeat(32));
    }
  });

  it("may be one that cleans, or is written once", async () => {
    const mediumOf = async (type: string): Promise<number[]> => {
      await run(`-o new -t ${type} -s 1 -b 1 -f ${file}`);
      const bytes = readFileSync(file);
      return [bytes[0x180] ?? 0, bytes[0x183] ?? 0];
    };
    expect(await mediumOf("Clean")).toEqual([TapeMedium.clean, 20]);
    expect(await mediumOf("worm")).toEqual([TapeMedium.worm, 0]);
  });

  it("is of 8000 MiB where the size is 0", async () => {
    const { stdout } = await run(`-o new -t data -s 0 -b 1 -f ${file}`);
    expect(stdout).toContain("blk_sz: 8000,");
  });

  it("has no room for a long barcode", () => {
    const tape = { mediumType: 1, size: "1", file: join(folder, "never.img"), seconds: 9e9 };
    expect(newTape({ ...tape, barcode: "x".repeat(21) })).toMatchObject({ status: 22 });
    expect(() => statSync(tape.file)).toThrow("ENOENT");
    expect(newTape({ ...tape, barcode: "x".repeat(20) })).toMatchObject({ status: 0 });
  });

  it("is shown", async () => {
    writeFileSync(file, tapeOf(TapeBlock.data, TapeBlock.filemark));
    const { status, stdout, stderr } = await run(`-o show -f ${file}`);
    expect([status, stderr]).toEqual([0, ""]);
    const [media, type, serial, blank, ...blocks] = stdout.split("\n");
    expect([media, type, blank]).toEqual([
      `Media     : ${"A1".padEnd(31)}`,
      " type     : Data",
      "",
    ]);
    expect(serial).toMatch(
      /^Media serial number : A1_1700000000, created (Tue|Wed) Nov 1[45] .* 2023$/,
    );
    expect(blocks).toEqual([
      "Beginning of Tape(16): Capacity 10 MB, Blk No.: 0, prev 0, curr 0, next 1152",
      " Uncompressed data(2): Blk No. 1, prev 0, curr 1152,  next 1200, sz 0",
      "         Filemark(64): Blk No. 2, prev 1152, curr 1200,  next 1251, sz 3",
      "      End of Data(32): Blk No. 3, prev 1200, curr 1251,  next 1251, sz 0",
      "",
    ]);
  });

  it("is shown to where it leads back", () => {
    writeFileSync(file, endlessTape());
    const lines = showTape(file).stdout.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("Could not read complete blk header - short read!!");
    expect(lines).toHaveLength(7);
  });

  it("is not there", () => {
    expect(showTape(join(folder, "never.img-2"))).toEqual({
      status: 1,
      stdout: "",
      stderr: `tgtimg: can't open ${folder}/never.img-2, No such file or directory\n`,
    });
  });
});
