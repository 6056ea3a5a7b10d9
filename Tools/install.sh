#!/usr/bin/env bash
# Builds c2c-vk and installs the program, its completions for bash, zsh and fish, and its manual page.
#
#   Tools/install.sh                      into /usr/local
#   Tools/install.sh --prefix ~/.local    into a folder of your own, without root
#   DESTDIR=stage Tools/install.sh        below another root, as packages are made
#   Tools/install.sh --uninstall [--prefix DIR]
#
# C2C_VK_BINARY names a program that is built already. The same command again brings what is installed up to date.
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

fail() {
    printf 'install: %s\n' "$@" >&2
    exit 2
}

# Paths of the caller's folder, before this leaves it.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s/%s\n' "$PWD" "$1" ;;
    esac
}

prefix=/usr/local
removes=false
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --uninstall) removes=true ;;
        -h | --help) usage; exit 0 ;;
        *) fail "there is no option $1; --help lists those there are" ;;
    esac
    shift
done
[ -n "$prefix" ] || fail "--prefix needs a folder"
prefix=$(absolute "${prefix%/}")
root=${DESTDIR:+$(absolute "${DESTDIR%/}")}
binary=${C2C_VK_BINARY:+$(absolute "$C2C_VK_BINARY")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=$prefix/bin/c2c-vk
bash_completion=$prefix/share/bash-completion/completions/c2c-vk
zsh_completion=$prefix/share/zsh/site-functions/_c2c-vk
fish_completion=$prefix/share/fish/vendor_completions.d/c2c-vk.fish
manual=$prefix/share/man/man1/c2c-vk.1
files=("$program" "$bash_completion" "$zsh_completion" "$fish_completion" "$manual")

if $removes; then
    for file in "${files[@]}"; do rm -f "$root$file"; done
    echo "Removed c2c-vk from $root$prefix. Compiled kernels stay in ~/.cache/c2c-vk; they may be deleted."
    exit 0
fi

for file in "${files[@]}"; do
    # The nearest folder that is there must be writable: said before minutes of building, not after.
    folder=$(dirname "$root$file")
    while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
    [ -d "$folder" ] && [ -w "$folder" ] ||
        fail "$folder can't be written; run this as root, or install into a folder of your own with --prefix ~/.local"
done

if [ -z "$binary" ]; then
    Tools/setup.sh
    swift build -c release --static-swift-stdlib --product c2c-vk
    binary=$(swift build -c release --static-swift-stdlib --show-bin-path)/c2c-vk
fi
[ -x "$binary" ] || fail "$binary is no program"

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$binary" --generate-completion-script bash >"$made/bash"
"$binary" --generate-completion-script zsh >"$made/zsh"
"$binary" --generate-completion-script fish >"$made/fish"
"$binary" manual >"$made/manual"

# `install` puts a new file in the place of the old one, so a program that runs goes on with what it began with.
install -D -m 755 "$binary" "$root$program"
install -D -m 644 "$made/bash" "$root$bash_completion"
install -D -m 644 "$made/zsh" "$root$zsh_completion"
install -D -m 644 "$made/fish" "$root$fish_completion"
install -D -m 644 "$made/manual" "$root$manual"

echo "Installed $("$binary" --version):"
for file in "${files[@]}"; do echo "  $root$file"; done
case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) [ -n "$root" ] || echo "$prefix/bin is not in your PATH; add: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
case $prefix in
    /usr | /usr/local) ;;
    *) echo "zsh finds the completion where ~/.zshrc says, before compinit: fpath=($prefix/share/zsh/site-functions \$fpath)" ;;
esac
echo "To remove it: Tools/install.sh --uninstall --prefix $prefix"
