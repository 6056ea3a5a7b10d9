#!/usr/bin/env bash
# Fuzzes the readers of strangers' files with libFuzzer and AddressSanitizer: all of them, or the ones named.
#
#     Tools/fuzz.sh [READER...] [--seconds N]     N seconds for each reader, 600 unless told
#
# Readers: safetensors torch config tokenizer jinja json questions. An input that crashes one, takes 10 seconds or a gigabyte
# is left in .build-fuzz/found/READER; copied to Tests/FuzzTests/Corpus/READER it is tested ever after. What the fuzzer learns
# stays in .build-fuzz/corpus. Needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=600
readers=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds)
            seconds=${2:?--seconds needs a number}
            shift
            ;;
        -*)
            echo "fuzz: no option $1; usage: Tools/fuzz.sh [READER...] [--seconds N]" >&2
            exit 2
            ;;
        *)
            [ -d "Tests/FuzzTests/Corpus/$1" ] || {
                echo "fuzz: no reader $1; there are $(cd Tests/FuzzTests/Corpus && echo *)" >&2
                exit 2
            }
            readers+=("$1")
            ;;
    esac
    shift
done
[ ${#readers[@]} -gt 0 ] || readers=(safetensors torch config tokenizer jinja json questions)

# The sanitizer's report of leaks would end the build's own tools: Foundation keeps a page of each empty file it reads.
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16
build=(swift build -c release --package-path Tools/fuzz --scratch-path .build-fuzz --sanitize=fuzzer --sanitize=address)
"${build[@]}"
fuzzer=$("${build[@]}" --show-bin-path)/fuzz

status=0
for reader in "${readers[@]}"; do
    learnt=.build-fuzz/corpus/$reader
    found=.build-fuzz/found/$reader
    mkdir -p "$learnt" "$found"
    echo "== fuzz $reader, $seconds s"
    log=.build-fuzz/$reader.log
    C2C_VK_READER=$reader "$fuzzer" "$learnt" "Tests/FuzzTests/Corpus/$reader" \
        -dict="Tools/fuzz/dictionaries/$reader.dict" -artifact_prefix="$found/" -max_total_time="$seconds" \
        -max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1 || {
        status=1
        grep -v '^#' "$log" | tail -n 40
        echo "fuzz: $reader failed; the input is in $found" >&2
    }
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' "$log" || true
done
exit $status
