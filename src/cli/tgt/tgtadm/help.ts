import { TGT_VERSION } from "../version.ts";

/** What `tgtadm --help` prints: each form of the command line, and what it does. */
export const TGTADM_HELP: string = `Linux SCSI Target administration utility, version ${TGT_VERSION}

Usage: tgtadm [OPTION]
--lld <driver> --mode target --op new --tid <id> --targetname <name>
	create a target; its <id> is 1 or more.
--lld <driver> --mode target --op delete [--force] --tid <id>
	delete a target. --force: also while initiators are logged in.
--lld <driver> --mode target --op show
	list all targets.
--lld <driver> --mode target --op show --tid <id>
	list the parameters of one target.
--lld <driver> --mode target --op update --tid <id> --name <param> --value <value>
	set a parameter of a target.
--lld <driver> --mode target --op bind --tid <id> --initiator-address <address>
--lld <driver> --mode target --op bind --tid <id> --initiator-name <name>
	let these initiators in. The address may be a network, or ALL.
--lld <driver> --mode target --op unbind --tid <id> --initiator-address <address>
--lld <driver> --mode target --op unbind --tid <id> --initiator-name <name>
	take such a rule back.
--lld <driver> --mode target --op stat --tid <id>
	show what was read and written.
--lld <driver> --mode logicalunit --op new --tid <id> --lun <lun>
  --backing-store <path> --bstype <type> --bsopts <bs options> --bsoflags <options>
  --blocksize <bytes> --device-type <disk|tape|cd|changer|osd|ssc|pt>
	add a logical unit to a target. <path> is a file or a block device,
	the type of backing store rdwr unless named, the options are sync and
	direct, or sync:direct.
--lld <driver> --mode logicalunit --op delete --tid <id> --lun <lun>
	remove a logical unit from a target.
--lld <driver> --mode logicalunit --op update --tid <id> --lun <lun> --params <key=value,...>
	set parameters of a logical unit.
--lld <driver> --mode logicalunit --op stat --tid <id> --lun <lun>
	show what was read and written.
--lld <driver> --mode account --op new --user <name> --password <pass>
	create an account.
--lld <driver> --mode account --op delete --user <name>
	delete an account.
--lld <driver> --mode account --op show
	list the accounts.
--lld <driver> --mode account --op bind --tid <id> --user <name> [--outgoing]
--lld <driver> --mode account --op unbind --tid <id> --user <name> [--outgoing]
	have initiators of a target log in with an account, or no more.
	--outgoing: the target shows itself to initiators with it.
	Without --tid: the account is for discovery.
--lld <driver> --mode portal --op new --param portal=<address:port>
--lld <driver> --mode portal --op delete --param portal=<address:port>
--lld <driver> --mode portal --op show
	listen at an address, no longer listen there, list the addresses.
--lld <driver> --mode conn --op show --tid <id>
--lld <driver> --mode conn --op stat --tid <id>
--lld <driver> --mode conn --op delete --tid <id> --sid <sid> --cid <cid>
--lld <driver> --mode session --op stat --tid <id> --sid <sid>
	show and close connections.
--lld <driver> --mode lld --op start
--lld <driver> --mode lld --op stop
--lld <driver> --mode lld --op show
	start and stop a driver, list the drivers.
--mode system --op show
--mode system --op stat
--mode system --op update --name <param> --value <value>
--mode system --op delete
	show and set what concerns the daemon as a whole; end it.
--control-port <port>
	the daemon with this control port. 0 unless given.
--debug
	say more.
--version
	display the version and exit
--help
	display this help and exit
`;
