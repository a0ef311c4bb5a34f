# A machine of its own: run by `unshare` with new mounts, network and processes, as the first of them.
# All that is mounted, routed and started here is gone when this ends.
#
#   sandbox.sh FOLDER PROGRAM [ARGUMENT…]
set -eu
folder=$1
shift

mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/tmp" "$folder/var" "$folder/var-work"
# What is written below /var (images, logs, addresses) stays here, and what is there can be read.
mount -t overlay overlay -o "lowerdir=/var,upperdir=$folder/var,workdir=$folder/var-work" /var
mount -t tmpfs tmpfs /run
# No names are resolved here.
: >"$folder/resolv.conf"

# The bridge that Pods are attached to. The machine itself reaches Services by it.
ip link set lo up
ip link add cni0 type bridge
ip address add 10.244.0.1/24 dev cni0
ip link set cni0 up
ip route add 10.96.0.0/16 dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

# Not `exec`: whatever loses its parent becomes this shell's child, and it waits for all.
TMPDIR="$folder/tmp" "$@"
