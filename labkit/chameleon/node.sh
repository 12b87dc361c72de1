#!/usr/bin/env bash
# Sets a fresh Ubuntu server up for the lab. Notebook 1 runs it over SSH, step by step; each step is safe to run again.
#   node.sh packages              Docker from Ubuntu's own packages, and what Python needs
#   node.sh fetch                 images and packages, in the background; the log is ~/fetch.log
#   node.sh jupyter A.B.C.D       the lab's Jupyter at port 8888 of this address
#   node.sh status                what is there
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${SECONDS_TO_ANSWER:=60}"

say() { printf '%s\n' "$*"; }

until_answered() { # name, command: waits for it to succeed
    for _ in $(seq $((2 * SECONDS_TO_ANSWER))); do
        if "${@:2}" >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    say "$1 did not answer within $SECONDS_TO_ANSWER s." >&2
    return 1
}

# <steps>
packages() {
    if ! docker compose version >/dev/null 2>&1 || ! docker buildx version >/dev/null 2>&1 || ! python3 -m ensurepip --version >/dev/null 2>&1; then
        # A server that has just booted updates itself: apt waits until that is done.
        sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 update
        sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 install --yes \
            docker.io docker-compose-v2 docker-buildx git python3-venv >/dev/null
    fi
    sudo systemctl enable --now docker
    # Who is in this group may use Docker, and so do anything on this machine. It counts from the next login on.
    sudo usermod --append --groups docker "$USER"
    until_answered "Docker" sudo docker info
    say "Docker $(sudo docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short)"
}

# This login began before we joined the group; `sg` starts a command that is in it.
in_group() { sg docker -c "$*"; }

fetch() {
    if ! flock --nonblock ~/fetch.lock true; then
        say "it is at work already; see ~/fetch.log"
        return
    fi
    ./lab --help >/dev/null
    in_group "setsid nohup flock --nonblock ~/fetch.lock ./lab fetch --place chameleon >$HOME/fetch.log 2>&1 </dev/null &"
    say "images and packages come in the background; see ~/fetch.log"
}

# </steps>

jupyter() {
    ./lab place chameleon --host "$1"
    if ! jupyter_answers; then
        in_group "setsid nohup ./lab notebook >$HOME/jupyter.log 2>&1 </dev/null &"
    fi
    if ! until_answered "Jupyter" jupyter_answers; then
        tail -n 20 ~/jupyter.log >&2
        exit 1
    fi
    say "Jupyter answers"
}

jupyter_answers() { curl --silent --fail --output /dev/null http://127.0.0.1:8888/api; }

status() {
    say "Docker:  $(in_group docker info --format "'{{.ServerVersion}}'" 2>&1 | tail -n 1)"
    say "fetched: $(tail -n 1 ~/fetch.log 2>/dev/null || say not begun)"
    if jupyter_answers; then say "Jupyter: answers"; else say "Jupyter: does not answer"; fi
    say "disk:    $(df --human-readable --output=avail . | tail -n 1 | tr -d ' ') free"
}

case "${1:-}" in
packages | fetch | status) "$1" ;;
jupyter) jupyter "${2:?expected the address of this server, such as 129.114.25.7}" ;;
*)
    say "expected one of: packages, fetch, jupyter A.B.C.D, status" >&2
    exit 2
    ;;
esac
