import { describe, expect, it } from "vitest";
import { getopt, type OptionSpec } from "../../../src/cli/tgt/getopt.ts";
import { parseSetupWords } from "../../../src/cli/tgt/setup-lun/options.ts";
import { readTargetsConf } from "../../../src/cli/tgt/targets-conf.ts";
import { parseAdminOptions } from "../../../src/cli/tgt/tgt-admin/options.ts";
import { TGTADM_OPTIONS } from "../../../src/cli/tgt/tgtadm/options.ts";
import { TGTD_OPTIONS } from "../../../src/cli/tgt/tgtd/options.ts";
import { TGTIMG_OPTIONS } from "../../../src/cli/tgt/tgtimg/options.ts";
import { memoryFiles } from "./config-general-memory.ts";

/** Options of tgt 1.0.85: `x` a letter, `name` a long name, `=` behind what wants a word. */
const PROGRAMS: readonly (readonly [
  name: string,
  specs: readonly OptionSpec[],
  options: string,
])[] = [
  [
    "tgtadm",
    TGTADM_OPTIONS,
    "d debug h help V version L= lld= o= op= m= mode= t= tid= s= sid= c= cid= l= lun= n= name= v= value= b= backing-store= " +
      "E= bstype= S= bsopts= f= bsoflags= y= blocksize= T= targetname= I= initiator-address= Q= initiator-name= u= user= " +
      "p= password= O= outgoing H= host= B= bus= F= force P= params= param= Y= device-type= C= control-port=",
  ],
  [
    "tgtd",
    TGTD_OPTIONS,
    "f foreground D nodaemonize C= control-port= t= nr_iothreads= p= pid-file= d= debug= V version h help iscsi= iser=",
  ],
  [
    "tgtimg",
    TGTIMG_OPTIONS,
    "h help o= op= Y= device-type= b= barcode= s= size= t= type= f= file= thin-provisioning",
  ],
];

/** How an option is typed. */
function typed(option: string): { readonly words: string[]; readonly wantsWord: boolean } {
  const wantsWord = option.endsWith("=");
  const name = wantsWord ? option.slice(0, -1) : option;
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  return { words: wantsWord ? [dashed, "word"] : [dashed], wantsWord };
}

describe.each(PROGRAMS)("options of %s", (_name, specs, options) => {
  it.each(options.split(" "))("%s is taken, with its word or without one", (option) => {
    const { words, wantsWord } = typed(option);
    const { given, fault, operands } = getopt(specs, words, false);
    // The word of a driver is left for tgtd, which does not look at words that are no options.
    const left = ["iscsi=", "iser="].includes(option) ? ["word"] : [];
    expect([given.length, fault, operands]).toEqual([1, undefined, left]);
    expect(given[0]?.value).toBe(wantsWord ? "word" : "");
    if (!wantsWord) return;
    const lacking = getopt(specs, words.slice(0, 1), false);
    const isDrivers = ["iscsi=", "iser="].includes(option);
    if (isDrivers) expect(lacking.given).toHaveLength(1);
    else expect(lacking.fault).toMatch(/requires an argument/);
  });

  const long = options.split(" ").filter((option) => option.replace("=", "").length > 1);
  const names = long.map((option) => option.replace("=", ""));
  // What is a beginning of another one is in the list for its own sake.
  const whole = long.filter((option) => {
    const name = option.replace("=", "");
    return !names.some((other) => other !== name && other.startsWith(name));
  });
  const drivers = ["iscsi", "iser"];

  it.each(whole)("--%s is taken by every beginning that is its own, and by no other", (option) => {
    const { wantsWord } = typed(option);
    const name = option.replace("=", "");
    for (let length = 1; length <= name.length; length += 1) {
      const beginning = name.slice(0, length);
      const meant = whole
        .map((each) => each.replace("=", ""))
        .filter((each) => each.startsWith(beginning) && !drivers.includes(each));
      const isExact = length === name.length;
      const words = wantsWord ? [`--${beginning}=word`] : [`--${beginning}`];
      const { given, fault } = getopt(specs, words, false);
      if (isExact || (meant.length === 1 && meant[0] === name)) {
        expect([given.map(({ value }) => value), fault], beginning).toEqual([
          [wantsWord ? "word" : ""],
          undefined,
        ]);
      } else if (meant.length > 1) {
        const all = meant.map((each) => `'--${each}'`);
        expect(fault?.split("possibilities: ")[1]?.split(" ").toSorted(), beginning).toEqual(
          all.toSorted(),
        );
      }
      if (!wantsWord && (isExact || meant.length === 1)) {
        expect(getopt(specs, [`--${beginning}=word`], false).fault).toBe(
          `option '--${meant[0] ?? name}' doesn't allow an argument`,
        );
      }
    }
  });

  const letters = options.split(" ").filter((option) => option.replace("=", "").length === 1);

  it.each(letters)("-%s is taken behind flags, with its word attached, and twice", (option) => {
    const letter = option.charAt(0);
    const wantsWord = option.endsWith("=");
    const flags = letters.filter((each) => each.length === 1).join("");
    const tail = wantsWord ? `${letter}word` : letter;
    const { given, fault } = getopt(specs, [`-${flags}${tail}`, `-${tail}`], false);
    expect(fault).toBeUndefined();
    expect(given.map((each) => each.letter).join("")).toBe(`${flags}${letter}${letter}`);
    expect(given.slice(-2).map(({ value }) => value)).toEqual(
      wantsWord ? ["word", "word"] : ["", ""],
    );
    // What follows the letter is its word, whatever it is.
    const odd = getopt(specs, [`-${letter}=`], false);
    if (wantsWord) expect(odd.given).toEqual([{ letter, value: "=" }]);
    else expect(odd.fault).toBe("invalid option -- '='");
  });

  it("others are refused in getopt's words", () => {
    expect(getopt(specs, ["--frob"], false).fault).toBe("unrecognized option '--frob'");
    expect(getopt(specs, ["-z"], false).fault).toBe("invalid option -- 'z'");
  });
});

describe("options of tgt-admin", () => {
  const flags = "e execute s show ignore-errors f force p pretend dump v verbose h help".split(" ");
  const values = "delete offline ready update c conf C control-port".split(" ");

  it.each(flags)("%s is taken", (name) => {
    const { flags: found, complaints } = parseAdminOptions(typed(name).words);
    expect([found.size, complaints]).toEqual([1, []]);
  });

  it.each(values)("%s is taken with its value", (name) => {
    const { values: found, complaints } = parseAdminOptions(typed(`${name}=`).words);
    expect([[...found.values()], complaints]).toEqual([["word"], []]);
    const lacking = parseAdminOptions(typed(name).words).complaints;
    expect(lacking).toEqual([`Option ${name} requires an argument`]);
  });

  it("others are complained about", () => {
    expect(parseAdminOptions(["--frob"]).complaints).toEqual(["Unknown option: frob"]);
  });
});

it.each(["n", "d", "b", "B", "t", "C"])("tgt-setup-lun takes -%s with its word", (letter) => {
  const taken = parseSetupWords([`-${letter}`, "word", "10.0.0.1"]);
  expect([taken.complaints, taken.initiators]).toEqual([[], ["10.0.0.1"]]);
  expect(Object.values(taken)).toContain("word");
});

/** Directives of targets.conf, by where they stand, with a value that they take. */
const DIRECTIVES: Readonly<Record<"global" | "target" | "store", readonly string[]>> = {
  global: [
    "default-driver iscsi",
    "ignore-errors yes",
    "control-port 3",
    "iSNS On",
    "iSNSServerIP 10.0.0.9",
    "iSNSServerPort 3205",
    "iSNSAccessControl Off",
    "incomingdiscoveryuser u p",
    "outgoingdiscoveryuser u p",
  ],
  target: [
    "backing-store /two.img",
    "direct-store /two.img",
    "driver iscsi",
    "initiator-address 10.0.0.0/8",
    "incominguser u p",
    "outgoinguser u p",
    "controller_tid 4",
    "allow-in-use yes",
    "state offline",
    "MaxRecvDataSegmentLength 8192",
    "MaxXmitDataSegmentLength 8192",
    "HeaderDigest None",
    "DataDigest CRC32C",
    "InitialR2T No",
    "MaxOutstandingR2T 8",
    "ImmediateData Yes",
    "FirstBurstLength 65536",
    "MaxBurstLength 262144",
    "DataPDUInOrder Yes",
    "DataSequenceInOrder Yes",
    "ErrorRecoveryLevel 0",
    "IFMarker No",
    "OFMarker No",
    "DefaultTime2Wait 2",
    "DefaultTime2Retain 20",
    "OFMarkInt Reject",
    "IFMarkInt Reject",
    "MaxConnections 1",
    "nop_interval 5",
    "nop_count 3",
  ],
  store: [
    "lun 5",
    "write-cache off",
    "scsi_id id",
    "scsi_sn sn",
    "vendor_id V",
    "product_id P",
    "product_rev R",
    "sense_format 0",
    "removable 1",
    "online 1",
    "path /one.img",
    "mode_page 8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0",
    "readonly 1",
    "device-type disk",
    "bs-type aio",
    "bsopts x",
    "bsoflags direct",
    "block-size 4096",
    "lbppbe 3",
    "la_lba 0",
    "optimal_xfer_gran 8",
    "optimal_xfer_len 128",
    "params vendor_id=V",
    "allow-in-use yes",
  ],
};

function warningsOf(text: string): readonly string[] {
  const files = memoryFiles({ "/t.conf": text, "/one.img": "1", "/two.img": "2" });
  return readTargetsConf("/t.conf", files).warnings.map(({ message }) => message);
}

const inTarget = (line: string): string => `<target iqn.x>\n${line}\n</target>\n`;
const inStore = (line: string): string =>
  inTarget(`<backing-store /one.img>\n${line}\n</backing-store>`);

describe("directives of targets.conf", () => {
  it.each(DIRECTIVES.global)("%s is taken outside of all blocks", (line) => {
    expect(warningsOf(`${line}\n`)).toEqual([]);
    expect(warningsOf(`x${line}\n`)).toHaveLength(1);
  });

  it.each(DIRECTIVES.target)("%s is taken in the block of a target", (line) => {
    expect(warningsOf(inTarget(line))).toEqual([]);
    expect(warningsOf(inTarget(`x${line}`))).toHaveLength(1);
  });

  it("initiator-name is taken beside addresses, and warned of where it restricts nothing", () => {
    expect(warningsOf(inTarget("initiator-address ALL\ninitiator-name iqn.h"))).toEqual([]);
    expect(warningsOf(inTarget("initiator-name iqn.h"))).toHaveLength(1);
  });

  it.each(DIRECTIVES.store)("%s is taken in the block of a store", (line) => {
    expect(warningsOf(inStore(line))).toEqual([]);
    expect(warningsOf(inStore(`x${line}`))).toHaveLength(1);
  });
});
