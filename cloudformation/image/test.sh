#!/usr/bin/env bash
# Starts what install.sh has installed, as a first boot does, and asks the golden questions.
#
# It fails with the reason, and with the last lines of the logs. Whatever happens, the machine is left as it was found.
set -euo pipefail

readonly settings=/etc/intent/instance.env
readonly release=/opt/intent/release
# In the order in which they stop.
readonly servers=(intent-gateway intent-model-server)

say() { echo "test: $*"; }
fail() {
    echo "test: FAILED: $*" >&2
    exit 1
}

leave() {
    local status=$?
    if [[ $status != 0 ]]; then
        systemctl --no-pager --full status 'intent-*' || true
        tail --lines=20 /var/log/intent/*.log || true
        journalctl --no-pager --lines=40 --unit='intent-*' || true
    fi >&2
    systemctl stop intent-signal.service intent-gateway.service intent-configure.service || true
    rm -f "$settings"
    exit "$status"
}

[[ $EUID == 0 ]] || fail "must be root"
[[ ! -e $settings ]] || fail "$settings is there: this is an instance in service"
trap leave EXIT

say "the gateway does not start before user data has spoken"
systemctl start intent-gateway.service
! systemctl --quiet is-active intent-gateway.service || fail "it started without $settings"

say "first boot"
printf '%s\n' DEPLOYMENT=image-test "READY_SECONDS=${READY_SECONDS:-300}" >"$settings"
systemctl start intent-signal.service || fail "the service did not become ready"

say "golden questions"
(cd "$release" && /opt/intent/gateway/bin/python -m cloudformation.image.instance golden) || fail "a wrong answer"

for name in "${servers[@]}"; do
    [[ $(systemctl show --property=NRestarts --value "$name") == 0 ]] || fail "$name was started again"
    pid=$(systemctl show --property=MainPID --value "$name")
    [[ $(stat --format=%U "/proc/$pid") == "$name" ]] || fail "$name does not run as its own user"
    limit=$(systemctl show --property=MemoryMax --value "$name")
    used=$(awk '$1 == "VmHWM:" {print $2 * 1024}' "/proc/$pid/status")
    say "$name: peak of resident memory $((used / 1048576)) MiB, limit $((limit / 1048576)) MiB"
    ((used < limit)) || fail "$name does not fit"
done

say "nobody can log in with a key"
for keys in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do
    # cloud-init writes a line that refuses root; it names a command.
    ! grep -v -s -E '^(#|$|.*command=)' "$keys" || fail "$keys holds a key"
done

say "the model server stops last"
systemctl stop --no-block "${servers[@]/%/.service}"
systemctl stop intent-model-server.service
stopped() { systemctl show --property=InactiveEnterTimestampMonotonic --value "$1"; }
(($(stopped intent-gateway) > 0 && $(stopped intent-gateway) <= $(stopped intent-model-server))) ||
    fail "the model server stopped before the gateway"
say "passed"
