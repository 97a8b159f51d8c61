/** What `tgt-admin --help` prints. */
export const ADMIN_HELP = `Usage:
tgt-admin [OPTION]...
Configures the targets of tgtd, or of thinlun in its place.

  -e, --execute			make the targets of /etc/tgt/targets.conf, and
				remove those that it does not have
      --delete <value>		delete all or selected targets
				(see "--delete help")
      --offline <value>		put all or selected targets in offline state
				(see "--offline help")
      --ready <value>		put all or selected targets in ready state
				(see "--ready help")
      --update <value>		make all or selected targets as they are in
				/etc/tgt/targets.conf (see "--update help")
  -s, --show			show all the targets
  -C, --control-port <NNNN>	the daemon with this control port
  -c, --conf <conf file>	another configuration file
      --ignore-errors		go on where tgtadm fails
  -f, --force			also where targets or devices are in use
  -p, --pretend			only print what would be run
      --dump			print the configuration of the daemon in the form
				of targets.conf
      --with-secrets		with --dump: also the passwords, which thinlun
				can tell and tgtd cannot
  -v, --verbose			print what is run
  -h, --help			show this help

`;

type Verb = "delete" | "offline" | "ready" | "update";

/** What a target in use means for what is done to it. */
const IN_USE: Readonly<Record<Verb, string>> = {
  delete: `				A target that initiators are logged in to is
				deleted with --force only.
`,
  offline: "",
  ready: "",
  update: `				A target that initiators are logged in to is
				updated with --force only; thinlun updates it also
				without where they lose nothing by it.
`,
};

/** What such an option prints for the value "help". */
export function valueHelp(verb: Verb): string {
  return `      --${verb} <value>		${verb} all or selected targets
${IN_USE[verb]}
Example usage:
      --${verb} help	      - display this help
      --${verb} ALL	      - ${verb} all targets
      --${verb} tid=4	      - ${verb} target 4 (target with tid 4)
      --${verb} iqn.2008-08.com.example:some.target - ${verb} this target

`;
}
