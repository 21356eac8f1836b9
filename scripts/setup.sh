#!/bin/sh
# Installs what building (`build`) or testing (`test`) needs and is missing. With the rights it does; without, it
# names the line to run.
set -eu

packages=""
need() { # need <command> <Debian package>
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}

if ! command -v cargo >/dev/null 2>&1 && [ ! -x "$HOME/.cargo/bin/cargo" ]; then
    echo "Rust is missing; run: curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y" >&2
    exit 1
fi
node_ok() { node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)' 2>/dev/null; }
if ! node_ok; then
    echo "Node.js 20.19 or newer is missing; run: curl -fsSL https://deb.nodesource.com/setup_22.x | sh && apt-get install -y nodejs" >&2
    exit 1
fi
need cc build-essential
if [ "${1:-build}" = test ]; then
    [ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || packages="$packages postgresql"
    need chromium chromium
    need python3 python3
    need curl curl
    need go golang-go
    need javac default-jdk-headless
    need mvn maven
    need openssl openssl
    need git git
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages="$packages python3-venv"
fi
if [ -n "$packages" ]; then
    line="apt-get update && apt-get install -y --no-install-recommends$packages"
    if [ "$(id -u)" = 0 ]; then
        echo "installing:$packages"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q >/dev/null
        # shellcheck disable=SC2086
        apt-get install -y -q --no-install-recommends $packages >/dev/null
    else
        echo "something is missing; run: sudo sh -c '$line'" >&2
        exit 1
    fi
fi
