#!/usr/bin/env bash
# Builds everything in release and runs all tests under the Vulkan validation layers.
#
# Arguments go to `swift test`, such as `--filter Attention`. The last line is `N passed, N failed`, and `, N skipped`
# where tests were; a test with several arguments counts once.
set -euo pipefail
cd "$(dirname "$0")/.."

Tools/setup.sh
swift build -c release --build-tests

passed=0
failed=0

echo "checking the format"
if swift format lint --strict --recursive --parallel Package.swift Sources Tests; then
    passed=1
else
    echo "the format is off; mend it with: swift format --in-place --recursive Package.swift Sources Tests" >&2
    failed=1
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# The tests turn validation on where they make a Vulkan instance. They share the device, so they run in turn.
export C2C_VK_VALIDATION=1
status=0
swift test -c release --skip-build --no-parallel --xunit-output "$results/tests.xml" "$@" 2>&1 \
    | tee "$results/log" || status=$?

# Swift Testing writes its own file beside the one that is named.
report="$results/tests-swift-testing.xml"
skipped=0
if [ -s "$report" ]; then
    number() { sed -n "s/.*<testsuite [^>]*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$report" | head -n 1; }
    total=$(number tests)
    # The suite counts every issue; a test that recorded several has failed once.
    bad=$(awk '/<testcase/ { open = 1 } /<failure|<error/ && open { bad++; open = 0 } END { print bad + 0 }' "$report")
    skipped=$(number skipped)
    passed=$((passed + total - bad - skipped))
    failed=$((failed + bad))
fi
# A run that crashed leaves no report, or one without what was running.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "the tests ended with status $status" >&2
    failed=1
fi
if [ ! -s "$report" ] && [ "$failed" -eq 0 ]; then
    echo "the tests left no report" >&2
    failed=1
fi

if [ "$skipped" -gt 0 ]; then
    echo "skipped:"
    grep -E "skipped" "$results/log" || true
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
