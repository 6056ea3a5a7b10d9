#!/usr/bin/env bash
# Installs what building and testing need on Debian 12 or Ubuntu 24.04. Does nothing where all is there.
set -euo pipefail

packages=(
    libvulkan-dev          # the Vulkan loader and its headers
    glslang-dev            # compiles shaders, at build time
    spirv-tools            # validates and optimises them
    mesa-vulkan-drivers    # lavapipe: a Vulkan driver for any CPU
    vulkan-validationlayers  # the tests run under them
    libpcre2-dev           # the tokenizers' patterns
    pkg-config
)

fail() {
    echo "setup: $1" >&2
    exit 2
}

command -v swift >/dev/null || fail "Swift is not installed; get 6.3 or later from https://swift.org/install"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
[ -n "$version" ] || fail "swift --version names no version; is Swift installed whole?"
if [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -n 1)" != 6.3 ]; then
    fail "Swift is $version; 6.3 or later is needed: https://swift.org/install"
fi

command -v apt-get >/dev/null || fail "there is no apt-get; install by hand what Debian calls: ${packages[*]}"

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: everything is there"
    exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run it as root, or install sudo; to be installed are: ${missing[*]}"
    root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${root[@]}" apt-get update --quiet=2
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"
echo "setup: done"
