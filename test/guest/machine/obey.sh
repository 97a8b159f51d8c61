# What the guest does once it is up: it obeys the host. A request is one line on the virtio port, a shell script in
# base64; the answer is one line, the script's exit status and its output in base64.
exec 3<> /dev/vport*p1
echo ready >&3
while read -r request <&3; do
  base64 -d <<< "$request" > /run/request
  bash -euo pipefail /run/request > /run/answer 2>&1 < /dev/null 3>&-
  status=$?
  echo "$status $(base64 -w 0 < /run/answer)" >&3
done
