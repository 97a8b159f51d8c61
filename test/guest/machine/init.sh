#!/bin/busybox sh
# The initial ramdisk's first process. The guest's root is the host's file system, read-only over 9p, under an
# overlay in memory: every program of the host is there, and nothing that the guest writes comes back.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
echo "@@guest-alive"
while read -r module; do $b insmod "/modules/$module"; done < /modules/order
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root /lower || $b poweroff -f
$b mount -t tmpfs -o size=60% tmpfs /rw
$b mkdir -p /rw/up /rw/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/rw/up,workdir=/rw/work overlay /newroot
$b cp /guest-main /newroot/
$b mkdir -p /newroot/run
for d in proc sys dev; do $b mount --move /$d /newroot/$d; done
exec $b switch_root /newroot /bin/bash /guest-main
