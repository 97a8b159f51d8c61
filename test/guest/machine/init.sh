#!/bin/busybox sh
# The initial ramdisk's first process. The guest's root is the host's file system, read-only over 9p, under an
# overlay in memory: every program of the host is there, and nothing that the guest writes comes back. Where there is
# a disk, the root is on it, with systemd, and the host's file system is at /host.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
echo "@@guest-alive"
while read -r module; do $b insmod "/modules/$module"; done < /modules/order
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root /lower || $b poweroff -f
if [ -b /dev/vda ]; then
  $b mount -t ext4 /dev/vda /newroot || $b poweroff -f
  $b mkdir -p /newroot/host /newroot/usr/lib/modules
  $b mount --bind /lower/usr/lib/modules /newroot/usr/lib/modules
  $b mount --move /lower /newroot/host
  main=/sbin/init
else
  $b mount -t tmpfs -o size=60% tmpfs /rw
  $b mkdir -p /rw/up /rw/work
  $b mount -t overlay -o lowerdir=/lower,upperdir=/rw/up,workdir=/rw/work overlay /newroot
  main="/bin/bash /guest-main"
fi
$b cp /guest-main /guest-obey /newroot/
$b mkdir -p /newroot/run
for d in proc sys dev; do $b mount --move /$d /newroot/$d; done
exec $b switch_root /newroot $main
