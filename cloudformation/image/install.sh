#!/usr/bin/env bash
# Makes this machine an instance of the intent service, from the unpacked release that this script lies in.
#
#   MODEL_SERVER_VERSION=2.20.0 [MODEL_SERVER_SHA256=...] [INTENT_SOURCES=FILE] .../cloudformation/image/install.sh
#
# It may run again over itself. Ubuntu's archive and the Python package index are used as this machine is set up for
# them; all else comes through sources.sh.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_release=$(cd "$here/../.." && pwd)
readonly here source_release
readonly root=/opt/intent
readonly units=(intent-configure.service intent-gateway.service intent-keys.service intent-keys.timer
    intent-model-server.service intent-signal.service intent-telemetry.service)
readonly enabled=(intent-gateway.service intent-keys.timer intent-model-server.service intent-telemetry.service)

say() { echo "install: $*"; }
fail() {
    echo "install: $*" >&2
    exit 1
}
# Ubuntu's own first-boot updates may hold the lock for minutes.
apt_get() { apt-get --quiet=2 --option DPkg::Lock::Timeout=600 --option Dpkg::Use-Pty=0 "$@"; }

# shellcheck source=sources.sh
source "${INTENT_SOURCES:-$here/sources.sh}"

check_start() {
    [[ $EUID == 0 ]] || fail "must be root"
    [[ ${MODEL_SERVER_VERSION:-} =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "set MODEL_SERVER_VERSION, for example to 2.20.0"
    local models=("$source_release"/models/intent/*/saved_model.pb)
    [[ ${#models[@]} == 1 && -f ${models[0]} ]] || fail "the release must hold one version of the model: ${models[*]}"
}

install_packages() {
    say "packages"
    apt_get update
    apt_get install --yes --no-install-recommends ca-certificates curl gpg gpgv logrotate python3 python3-venv
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "the gateway needs Python 3.11 or newer"
}

install_users() {
    say "users and folders"
    install -D --mode=644 "$here/units/sysusers.conf" /etc/sysusers.d/intent.conf
    install -D --mode=644 "$here/units/tmpfiles.conf" /etc/tmpfiles.d/intent.conf
    systemd-sysusers /etc/sysusers.d/intent.conf
    systemd-tmpfiles --create /etc/tmpfiles.d/intent.conf
}

# The units' users own none of it, and may write none of it.
install_release() {
    say "release"
    rm -rf "$root/release" /models
    install -d --mode=755 "$root" "$root/release" /models
    local part
    for part in gateway serving_config cloudformation RELEASE.json; do
        cp --recursive --no-preserve=ownership "$source_release/$part" "$root/release/$part"
    done
    # Where serving_config/models.config looks for it.
    cp --recursive --no-preserve=ownership "$source_release/models/intent" /models/intent
    chmod --recursive u=rwX,go=rX "$root/release" /models
    chmod 755 "$root"/release/cloudformation/image/*.sh
    python3 -m compileall -q "$root/release"
}

# $1 the environment's name, $2 its locked requirements. Wheels only: nothing is built, so no compiler is on the image.
install_environment() {
    say "environment $1"
    rm -rf "${root:?}/$1"
    python3 -m venv "$root/$1"
    "$root/$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes --no-deps \
        --only-binary=:all: --requirement "$2"
    # What is not there cannot be used to fetch more.
    "$root/$1/bin/python" -m pip uninstall --quiet --yes pip setuptools 2>/dev/null
}

# $1 the package's name, $2 a directory with its file.
install_file() {
    local files=("$2"/*.deb)
    [[ -f ${files[0]} ]] || return 1
    apt_get install --yes --no-install-recommends --allow-downgrades "${files[0]}"
    apt-mark hold "$1" >/dev/null
}

install_model_server() {
    say "model server $MODEL_SERVER_VERSION"
    local directory version
    directory=$(mktemp -d)
    chmod 755 "$directory"
    fetch_model_server "$directory" "$MODEL_SERVER_VERSION" "${MODEL_SERVER_SHA256:-}"
    install_file tensorflow-model-server "$directory" || fail "there is no model server package"
    rm -rf "$directory"
    # shellcheck disable=SC2016 # dpkg-query's own variable
    version=$(dpkg-query --show --showformat='${Version}' tensorflow-model-server)
    [[ $version == "$MODEL_SERVER_VERSION" ]] || fail "model server $version was installed, not $MODEL_SERVER_VERSION"
    [[ -x /usr/bin/tensorflow_model_server ]] || fail "the package has no /usr/bin/tensorflow_model_server"
}

install_agent() {
    say "CloudWatch agent"
    local directory
    directory=$(mktemp -d)
    chmod 755 "$directory"
    fetch_agent "$directory"
    install_file amazon-cloudwatch-agent "$directory" || say "left out: no logs and no metrics will be sent"
    rm -rf "$directory"
}

install_units() {
    say "settings and units"
    install -D --mode=644 "$here/gateway.env" /etc/intent/gateway.env
    install -D --mode=644 "$here/units/logrotate.conf" /etc/logrotate.d/intent
    install -D --mode=644 "$here/units/logrotate-hourly.conf" /etc/systemd/system/logrotate.timer.d/intent.conf
    install -D --mode=644 "$here/units/agent-limits.conf" /etc/systemd/system/amazon-cloudwatch-agent.service.d/intent.conf
    install -D --mode=644 "$here/units/journald.conf" /etc/systemd/journald.conf.d/intent.conf
    install --mode=755 "$here/intent-signal" /usr/local/bin/intent-signal
    local unit
    for unit in "${units[@]}"; do
        install --mode=644 "$here/units/$unit" "/etc/systemd/system/$unit"
    done
    systemctl --quiet enable "${enabled[@]}"
}

# An instance is replaced, never changed: what is on it stays as it was tested. Security updates come with the next
# image, which starts from the newest packages.
freeze_machine() {
    say "no updates by itself, no login"
    systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service
    if command -v snap >/dev/null; then
        snap refresh --hold >/dev/null
    fi
    # Sessions go through Systems Manager, where the fleet allows them at all.
    systemctl --quiet mask ssh.service ssh.socket
    rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
}

# For the idle pages of everything else than the two servers, whose units forbid them to use it.
add_swap() {
    if systemd-detect-virt --quiet --container; then
        say "no swap in a container"
        return
    fi
    say "swap"
    if [[ ! -f /swapfile ]]; then
        fallocate --length 512M /swapfile
        chmod 600 /swapfile
        mkswap /swapfile >/dev/null
        echo '/swapfile none swap sw 0 0' >>/etc/fstab
    fi
    echo 'vm.swappiness = 10' >/etc/sysctl.d/60-intent.conf
}

clean_up() {
    say "cleaning up"
    apt_get clean
    rm -rf /var/lib/apt/lists/* /var/log/intent/*.log
}

check_start
install_packages
install_users
install_release
install_environment gateway "$source_release/gateway/requirements.txt"
install_environment aws "$here/requirements.txt"
install_model_server
install_agent
install_units
freeze_machine
add_swap
clean_up
say "done"
