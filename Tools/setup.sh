#!/usr/bin/env bash
# Installs what building and testing need besides Swift, on Debian 12, Ubuntu 24.04 and their kin. Says what it does, and
# does nothing where all is there. Runs as root or with sudo.
set -euo pipefail

readonly swift_needed=6.3

# What SwiftPM needs to fetch and link, then what c2c-vk needs. glslang-dev and spirv-tools put their static libraries
# into the multi-arch folder (such as /usr/lib/x86_64-linux-gnu), where the linker looks anyway.
packages=(
    git ca-certificates binutils g++ libc6-dev zlib1g-dev pkg-config
    libvulkan-dev glslang-dev spirv-tools libpcre2-dev
    mesa-vulkan-drivers vulkan-validationlayers
)
# What Swift's own tools are linked with: only missing where Swift does not start.
readonly swift_libraries=(libcurl4-openssl-dev libxml2-dev libsqlite3-dev libncurses-dev tzdata)

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

swift_starts() {
    swift --version >/dev/null 2>&1 && swift build --version >/dev/null 2>&1
}

install() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "neither root nor sudo here; have an administrator run: apt-get install $*"
        as_root=(sudo)
    fi
    echo "setup: installing $*"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

install_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail "no apt-get here; install what your distribution calls these packages, then run 'swift build -c release':" \
            "${packages[*]}"
    fi
    if command -v swift >/dev/null && ! swift_starts; then packages+=("${swift_libraries[@]}"); fi
    local missing=() package
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "setup: all packages are installed"
    else
        install "${missing[@]}"
    fi
    # Releases after these two keep the headers and libraries of SPIRV-Tools in a package of their own.
    [ -e /usr/include/spirv-tools/libspirv.h ] || install spirv-tools-dev
}

check_swift() {
    local mend="install Swift $swift_needed or later (https://www.swift.org/install/linux) and put it into PATH"
    command -v swift >/dev/null || fail "there is no swift; $mend"
    swift_starts || fail "swift does not start ('swift build --version' says why); $mend"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')
    if [ "$(printf '%s\n' "$swift_needed" "$version" | sort -V | head -n 1)" != "$swift_needed" ]; then
        fail "swift is ${version:-of unknown version}; $mend"
    fi
    echo "setup: Swift $version"
}

install_packages
check_swift
