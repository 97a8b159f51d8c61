#!/usr/bin/env node
void import("./tgt/tgtimg/main.ts");
