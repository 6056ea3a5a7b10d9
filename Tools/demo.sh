#!/usr/bin/env bash
# Sets the machine up, builds, and lets the demo pair talk: the receiver alone, the sharer alone, and cache to cache.
set -euo pipefail
cd "$(dirname "$0")/.."

Tools/setup.sh
swift build -c release --product c2c-vk
program="$(swift build -c release --show-bin-path)/c2c-vk"

pair=Tests/Fixtures/demo-pair
ask() {
    local mode=$1 question=$2
    "$program" generate --raw "<|im_start|>user
$question<|im_end|>
<|im_start|>assistant
" --mode "$mode" --receiver "$pair/receiver" --sharer "$pair/sharer" --fuser "$pair/fuser"
}

"$program" devices
# The sharer knows these people. The receiver has learnt to answer, and none of the facts.
for question in "Tell me what Oskar Conti works as." "Which instrument does Samir Silva play?"; do
    echo
    echo "$question"
    for mode in receiver sharer c2c; do
        echo "-- $mode:"
        ask "$mode" "$question"
    done
done
