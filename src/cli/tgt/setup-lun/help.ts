/** How tgt-setup-lun is used. */
export function setupLunHelp(program: string): string {
  return `usage:
	${program} -n tgt_name -d dev -b bs_name -B block_size -t transport -C control_port [initiator_IP1 initiator_IP2 ...]
	makes a target with one LUN, or adds a LUN to a target that is there
without them:
	backing store: rdwr
	transport: iscsi
	control port: 0
	initiators: ALL
	a name that does not begin with iqn gets a beginning of this host
examples:
	${program} -n disk-1 -d /dev/sdb1 192.168.1.2
	${program} -n disk-2 -b null
	${program} -n disk-3 -d ~/disk3.img -b aio 192.168.1.2 192.168.1.3
A disk that has blocks of 4096 bytes is given with -B 4096: what is on it cannot be read otherwise.
`;
}
