#!/usr/bin/env node
void import("./tgt/tgt-admin/main.ts");
