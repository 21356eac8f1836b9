#!/bin/sh
# Runs the fuzz targets of fuzz/, each for some seconds, or one of them: scripts/fuzz.sh [seconds] [target].
# What breaks a target is written to fuzz/artifacts/. Needs a nightly Rust for its coverage instrumentation.
set -eu
cd "$(dirname "$0")/../fuzz"

seconds="${1:-30}"
targets="${2:-$(cd fuzz_targets && ls | sed 's/\.rs$//')}"
if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly Rust is missing; run: rustup toolchain install nightly --profile minimal" >&2
    exit 1
fi
host="$(rustc +nightly -vV | sed -n 's/^host: //p')"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-../target}/fuzz"
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions=on"
cargo +nightly build --release --target "$host" --bins

for target in $targets; do
    corpus="corpus/$target"
    mkdir -p "$corpus" artifacts
    case "$target" in
    event | security | json) seeds="../fixtures/normalize ../fixtures/group ../fixtures/json" ;;
    object) seeds="../fixtures/symbols/shop" ;;
    source_map) seeds="$(echo ../fixtures/scripts/*/)" ;;
    minidump) seeds="../fixtures/symbols/minidump" ;;
    hierarchy) seeds="../fixtures/symbols/proguard" ;;
    debug_file) seeds="$(echo ../fixtures/symbols/*/)" ;;
    *) seeds="" ;;
    esac
    case "$target" in
    minidump | debug_file) longest=131072 ;;
    source_map) longest=65536 ;;
    *) longest=16384 ;;
    esac
    echo "== $target, $seconds s"
    # shellcheck disable=SC2086
    "$CARGO_TARGET_DIR/$host/release/$target" "$corpus" $seeds -max_total_time="$seconds" -max_len="$longest" \
        -timeout=30 -rss_limit_mb=2048 -artifact_prefix="artifacts/$target-" -verbosity=0 -print_final_stats=1
done
