/** The version of tgt whose commands these are; scripts ask for it. */
export const TGT_VERSION = "1.0.85";
