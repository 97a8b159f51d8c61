import { fioLibiscsi } from "./fio-libiscsi.ts";
import type { Generator } from "./generator.ts";
import { iscsiPerf } from "./iscsi-perf.ts";
import { qemuImg } from "./qemu-img.ts";

/** Besides our own, in the order in which they take turns. */
export const GENERATORS: readonly Generator[] = [iscsiPerf, qemuImg, fioLibiscsi];
