#!/usr/bin/env bash
# Sets the machine up, checks the format, builds everything and runs the tests under the Khronos validation layer.
# Arguments go to `swift test`, e.g. `Tools/test.sh --filter Attention`; without any, the readers of strangers' files are fuzzed
# for a minute in all.
# The last line is `N passed, N failed`, with `, N skipped` where tests were; the exit status is 0 only if all is well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

Tools/setup.sh
export C2C_VK_VALIDATION="${C2C_VK_VALIDATION:-1}"

format_status=0
if swift format --version >/dev/null 2>&1; then
    echo "== format"
    swift format lint --strict --recursive Package.swift Sources Tests || format_status=$?
else
    echo "== format: not checked, this toolchain has no 'swift format'"
fi

echo "== build"
swift build -c release --build-tests || {
    echo "The build failed, so no test ran." >&2
    exit 1
}

fuzz_status=0
if [ $# -eq 0 ]; then
    echo "== fuzz"
    Tools/fuzz.sh --seconds 8 || fuzz_status=$?
fi

echo "== tests"
# One at a time: tests on the GPU share its memory, and lavapipe takes all cores anyway.
parallelism=(--no-parallel)
for argument in "$@"; do
    case $argument in --parallel | --no-parallel) parallelism=() ;; esac
done
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
test_status=0
# The event stream, unlike the xUnit file, survives a crash and tells a cancelled test from one that passed.
swift test -c release --skip-build --disable-xctest "${parallelism[@]}" "$@" \
    --event-stream-output-path "$results/events.jsonl" --event-stream-version 0 || test_status=$?
[ -s "$results/events.jsonl" ] || {
    echo "The tests left no results (exit status $test_status)." >&2
    exit 1
}

# One JSON object a line, its keys sorted: each selected test is announced by a record of kind "test", and has passed or
# was skipped only where an event says so. What was announced and did neither has failed: perhaps the process died on it.
awk -v format_status="$format_status" -v fuzz_status="$fuzz_status" -v test_status="$test_status" '
    # The string that follows the first "name" in the text.
    function field(name, text,    key, rest, at) {
        key = "\"" name "\":\""
        at = index(text, key)
        if (!at) return ""
        rest = substr(text, at + length(key))
        match(rest, /^([^"\\]|\\.)*/)
        rest = substr(rest, 1, RLENGTH)
        gsub(/\\\//, "/", rest)
        gsub(/\\"/, "\"", rest)
        return rest
    }
    function title(id) { sub(/\/[^\/]*:[0-9]+:[0-9]+$/, "", id); return id }
    /^\{"kind":"test",/ && /"kind":"function"/ {
        # The test cases, which come before, have ids too.
        sub(/.*,"id":/, "\"id\":")
        order[++announced] = field("id", $0)
    }
    /^\{"kind":"event",/ && /"kind":"testStarted"/ { started[field("testID", $0)] = 1 }
    /^\{"kind":"event",/ && /"kind":"(testEnded|testSkipped)"/ {
        id = field("testID", $0)
        outcome[id] = field("symbol", $0)
        said[id] = field("text", $0)
    }
    END {
        passed = failed = skipped = 0
        for (i = 1; i <= announced; i++) {
            id = order[i]
            if (!(id in outcome)) {
                failed++
                print "failed: " title(id) (id in started ? ": did not finish" : ": did not run")
            } else if (outcome[id] == "skip") {
                skipped++
                print "skipped: " title(id) ": " said[id]
            } else if (outcome[id] ~ /^pass/) {
                passed++
            } else {
                failed++
                print "failed: " title(id)
            }
        }
        if (!announced) print "No test was selected."
        if (test_status != 0 && !failed) print "swift test ended with exit status " test_status "."
        if (format_status != 0) print "The format check failed; `swift format -i -r Package.swift Sources Tests` mends most."
        if (fuzz_status != 0) print "Fuzzing failed; the inputs are in .build-fuzz/found."
        printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
        exit (failed || !announced || test_status != 0 || format_status != 0 || fuzz_status != 0)
    }' "$results/events.jsonl"
