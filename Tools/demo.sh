#!/usr/bin/env bash
# Sets the machine up, builds, and shows cache-to-cache communication on the pair that comes with the program.
# Arguments go to `c2c-vk demo`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

Tools/setup.sh
swift build -c release --product c2c-vk
exec "$(swift build -c release --show-bin-path)/c2c-vk" demo "$@"
