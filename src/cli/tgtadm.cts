#!/usr/bin/env node
void import("./tgt/tgtadm/main.ts");
