#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the monitor room against other releases' wlroots and runs its tests there: in a Debian root made for it.
set -euo pipefail

usage() {
    echo "usage: $0 ROOT SUITE VERSION..." >&2
    echo "  ROOT     folder for the Debian root; made if missing, kept afterwards" >&2
    echo "  SUITE    Debian release: trixie, forky, sid" >&2
    echo "  VERSION  wlroots versions that the release has: 0.18, 0.19, 0.20" >&2
    exit 2
}
[ $# -ge 3 ] || usage
root=$1
suite=$2
shift 2
source=$(cd "$(dirname "$0")/../.." && pwd)
packages=(g++ meson ninja-build pkg-config git ca-certificates libfmt-dev libdrm-dev libsystemd-dev libcairo2-dev
    libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev libudev-dev libxkbcommon-dev libpixman-1-dev libwayland-dev fonts-dejavu-core)

if [ ! -e "$root/etc/debian_version" ]; then
    include=$(IFS=,; echo "${packages[*]}")
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --include="$include" "$suite" "$root"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }

in_root apt-get -qq update
in_root apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
for version in "$@"; do
    echo "== wlroots $version on $suite"
    in_root apt-get -qq purge -y 'libwlroots*-dev' >/dev/null 2>&1 || true
    in_root apt-get -qq install -y --no-install-recommends "libwlroots-$version-dev" >/dev/null
    rm -rf "$root/source" && mkdir "$root/source"
    git -C "$source" ls-files -z | tar -C "$source" --null -T - -cf - | tar -C "$root/source" -xf -
    in_root meson setup /source/build /source -Dmonitor=enabled -Dauto_features=disabled -Dtests=enabled
    in_root ninja -C /source/build -j2 tests/component/component_monitor tests/component/component_monitor_decisions
    in_root meson test -C /source/build --no-rebuild --print-errorlogs monitor monitor_decisions
done
