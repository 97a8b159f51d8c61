# The guest's first process once its root is mounted, where that is the host's: brings up devices, network and the
# initiator daemon, then obeys the host.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C
cd /
{
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /tmp
  mkdir -p /run/lock /dev/pts /dev/shm /etc/iscsi /mnt
  mount -t devpts devpts /dev/pts
  mount -t tmpfs shm /dev/shm
  modprobe -a virtio_net virtio_console iscsi_tcp sd_mod crc32c_generic ext4 xfs loop
  ip link set lo up
  for net in /sys/class/net/e*; do
    net=${net##*/}
    ip link set "$net" up
    ip addr add 10.0.2.15/24 dev "$net"
    ip route add default via 10.0.2.2
  done

  # The initiator's own settings, whatever the host has: its defaults, but a failed login is not tried again for
  # minutes, and a slow machine is given time.
  mount -t tmpfs tmpfs /etc/iscsi
  mkdir -p /var/lib/iscsi && mount -t tmpfs tmpfs /var/lib/iscsi
  echo InitiatorName=iqn.2026-11.net.example:guest > /etc/iscsi/initiatorname.iscsi
  cat > /etc/iscsi/iscsid.conf <<'CONF'
node.startup = manual
node.leading_login = No
node.session.timeo.replacement_timeout = 300
node.session.initial_login_retry_max = 1
node.conn[0].timeo.login_timeout = 60
node.conn[0].timeo.logout_timeout = 60
node.conn[0].timeo.noop_out_interval = 5
node.conn[0].timeo.noop_out_timeout = 30
node.session.cmds_max = 128
node.session.queue_depth = 32
node.session.iscsi.InitialR2T = No
node.session.iscsi.ImmediateData = Yes
node.session.iscsi.FirstBurstLength = 262144
node.session.iscsi.MaxBurstLength = 16776192
node.conn[0].iscsi.MaxRecvDataSegmentLength = 262144
node.conn[0].iscsi.MaxXmitDataSegmentLength = 0
discovery.sendtargets.iscsi.MaxRecvDataSegmentLength = 32768
node.session.nr_sessions = 1
node.session.scan = auto
CONF
  /lib/systemd/systemd-udevd --daemon
  udevadm trigger
  udevadm settle -t 20
  iscsid
} > /dev/ttyS0 2>&1 < /dev/null

. /guest-obey
echo o > /proc/sysrq-trigger
sleep 30
