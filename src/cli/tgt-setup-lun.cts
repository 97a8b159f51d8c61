#!/usr/bin/env node
void import("./tgt/setup-lun/main.ts");
