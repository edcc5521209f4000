#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the pipewire room against another release's PipeWire and runs its tests there: in a Debian root made for it.
set -euo pipefail

usage() {
    echo "usage: $0 ROOT SUITE" >&2
    echo "  ROOT     folder for the Debian root; made if missing, kept afterwards" >&2
    echo "  SUITE    Debian release: trixie, forky, sid" >&2
    exit 2
}
[ $# -eq 2 ] || usage
root=$1
suite=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
packages=(g++ meson ninja-build pkg-config git ca-certificates libfmt-dev libdrm-dev libsystemd-dev libcairo2-dev
    libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev fonts-dejavu-core libudev-dev libxkbcommon-dev
    libpixman-1-dev libwayland-dev libpipewire-0.3-dev pipewire wireplumber dbus)

if [ ! -e "$root/etc/debian_version" ]; then
    include=$(IFS=,; echo "${packages[*]}")
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
        --include="$include" "$suite" "$root"
fi
rm -rf "$root/source" && mkdir "$root/source"
git -C "$source" ls-files -z | tar -C "$source" --null -T - -cf - | tar -C "$root/source" -xf -
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount bash -ec '
    root=$1
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -exc "
        pipewire --version
        meson setup /source/build /source -Dstream=enabled -Dauto_features=disabled -Dtests=enabled
        ninja -C /source/build tests/component/component_pipewire tests/component/pipewire_consumer
        meson test -C /source/build --no-rebuild --print-errorlogs \
            pipewire_stream pipewire_frames pipewire_ladder pipewire_faults"
' inside "$root"
