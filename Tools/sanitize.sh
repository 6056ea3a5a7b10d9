#!/usr/bin/env bash
# Runs the tests under a sanitizer of the compiler:
#
#     Tools/sanitize.sh address|thread [arguments of swift test, such as --filter Checkpoints]
#
# The build, in a folder of its own, takes ten minutes on two cores, and the tests take several times their usual time. Needs
# what Tools/setup.sh installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sanitizer=${1:-}
case $sanitizer in
    address | thread) shift ;;
    *)
        echo "usage: Tools/sanitize.sh address|thread [arguments of swift test]" >&2
        exit 2
        ;;
esac

# Leaks are not looked for: Foundation keeps a page of each empty file that it reads, and drivers what they load, which ends
# the build's own tools before anything is tested. A report ends the run with this exit status.
export ASAN_OPTIONS=detect_leaks=0:exitcode=66
export TSAN_OPTIONS=exitcode=66:suppressions=$PWD/Tools/thread-sanitizer.supp
# Tests that limit times allow this many times as much.
export C2C_VK_TEST_PATIENCE=20
options=(-c release --sanitize="$sanitizer" --scratch-path ".build-$sanitizer")
swift build "${options[@]}" --build-tests
exec swift test "${options[@]}" --skip-build --disable-xctest --no-parallel "$@"
