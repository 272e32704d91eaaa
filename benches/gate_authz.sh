#!/usr/bin/env bash
# What asking `trust gate authz` costs: containers made by an engine that asks and by one that does
# not, of the same signed image, in turn, in one run: prints a table. Wants trust (a release build)
# in PATH, and what scripts/install-peers installs; dockerd needs root. Judges nothing; leaves
# nothing behind.
set -euo pipefail
# shellcheck source=../scripts/lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lab.sh"

readonly CREATES=${TRUST_BENCH_CREATES:-200}
readonly PLUGIN=trust-bench-$$

main() {
    note 'starting a trust server, a registry, the plugin, and dockerd twice'
    start_trust_server
    start docker-registry try_registry
    app=localhost:$port/bench/app
    start_engine plain
    sign_an_image
    start_plugin
    start_engine asking --authorization-plugin="$PLUGIN"
    for engine in plain asking; do
        docker --host "unix://$world/$engine.sock" pull --quiet "$app:1" >/dev/null
    done
    note "making $CREATES containers with each"
    make_containers
    print_machine
    echo '| job | measure | without plugin | asking trust | added | required |'
    echo '|---|---|--:|--:|--:|--:|'
    row 'container create' 'ms, median' 0.5 '< 5'
    row 'container create' 'ms, 95 of 100' 0.95 ''
    row_of_a_read
}

# --- The jobs -----------------------------------------------------------------------------------

# One after the other, so that whatever else the machine does touches both alike.
make_containers() {
    local number engine
    for engine in plain asking; do
        create "$engine" >/dev/null
        : >"$engine.times" >"$engine.reads"
    done
    for ((number = 0; number < CREATES; number++)); do
        for engine in plain asking; do
            create "$engine" >>"$engine.times"
            timed "$engine" "$engine.answer" http://docker/v1.41/info >>"$engine.reads"
        done
    done
}

# Seconds that one create took; the container goes again, uncounted.
create() {
    local engine=$1 id
    timed "$engine" "$engine.answer" --json "{\"Image\":\"$app:1\",\"NetworkDisabled\":true}" \
        http://docker/v1.41/containers/create
    id=$(sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/' "$engine.answer")
    ask --output /dev/null --unix-socket "$engine.sock" --request DELETE "http://docker/v1.41/containers/$id"
}

timed() {
    local engine=$1 answer=$2
    shift 2
    ask --unix-socket "$engine.sock" --output "$answer" --write-out '%{time_total}\n' "$@"
}

row() {
    printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$2" \
        "$(rank plain.times "$3")" "$(rank asking.times "$3")" \
        "$(added times "$3")" "$4"
}

row_of_a_read() {
    printf '| GET /info | ms, median | %s | %s | %s | |\n' \
        "$(rank plain.reads 0.5)" "$(rank asking.reads 0.5)" "$(added reads 0.5)"
}

rank() { sort -n "$1" | awk -v at="$2" '{ all[NR] = $1 } END { printf "%.2f", 1000 * all[int((NR - 1) * at) + 1] }'; }

added() {
    awk -v with="$(rank "asking.$1" "$2")" -v without="$(rank "plain.$1" "$2")" \
        'BEGIN { printf "%.2f", with - without }'
}

print_machine() {
    local processor
    processor=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) × ${processor:-$(uname -m)}; $(trust --version); dockerd $(version_of docker.io), vfs"
    echo
}

# --- The machine --------------------------------------------------------------------------------

start_engine() {
    local name=$1
    shift
    echo '{}' >"$name.json"
    dockerd --data-root "$world/$name/data" --exec-root "$world/$name/exec" --pidfile "$world/$name.pid" \
        --host "unix://$world/$name.sock" --config-file "$world/$name.json" --iptables=false \
        --ip6tables=false --bridge=none --storage-driver=vfs "$@" >"$name.log" 2>&1 &
    until ask --unix-socket "$name.sock" http://docker/_ping >/dev/null 2>&1; do
        kill -0 $! 2>/dev/null || fail "dockerd: $(tail -n 5 "$name.log")"
        sleep 0.05
    done
}

sign_an_image() {
    export DOCKER_CONTENT_TRUST_{ROOT,REPOSITORY}_PASSPHRASE=passphrase
    local plain=unix://$world/plain.sock
    mkdir -p root/bin
    cp "$(command -v busybox)" root/bin/
    tar -C root -c bin | docker --host "$plain" import --change 'CMD ["/bin/busybox","true"]' - "$app:1" >/dev/null
    docker --host "$plain" push --quiet "$app:1" >/dev/null
    trust key generate bench >/dev/null
    trust signer add --key bench.pub bench "$app" >/dev/null
    trust sign "$app:1" >sign.log 2>&1 || fail "trust sign: $(cat sign.log)"
}

start_plugin() {
    cat >policy.toml <<TOML
[default]
require = "reject"
[[rule]]
match = "${app%/*}/**"
require = "signed"
first_use = true
TOML
    # trust removes it at the end; this is for the case that it cannot.
    trap 'rm -f "/run/docker/plugins/$PLUGIN.sock"; clean_up' EXIT
    DOCKER_HOST=unix://$world/asking.sock trust gate authz --policy policy.toml \
        --socket "/run/docker/plugins/$PLUGIN.sock" --decision-log decisions.json >plugin.log 2>plugin.err &
    until grep -q '^listening on ' plugin.log; do
        kill -0 $! 2>/dev/null || fail "trust gate authz: $(tail -n 5 plugin.err)"
        sleep 0.05
    done
}

main
