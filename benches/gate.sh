#!/usr/bin/env bash
# `trust gate proxy` before docker-registry, beside the registry alone, in one run: prints a table.
# The registry speaks TLS, as registries do; the gate is on the machine of its clients, as on a
# node, where they reach it over plain HTTP. Wants trust (a release build) in PATH, and what
# scripts/install-peers --bench installs. Judges nothing; leaves nothing behind.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lab.sh"

readonly SECONDS_EACH=${TRUST_BENCH_SECONDS:-5}
readonly RUNS=${TRUST_BENCH_RUNS:-10}
# MiB: of the blob that is timed, and of the one that is watched for memory.
readonly BLOB=${TRUST_BENCH_BLOB:-1024}
readonly LARGE=${TRUST_BENCH_LARGE:-10240}
readonly CLIENTS=500

main() {
    note 'starting a trust server, a registry, a gate and nginx'
    make_certificates
    start trust-server try_trust_server
    export DOCKER_CONTENT_TRUST_SERVER=https://127.0.0.1:$port
    mkdir -p "$DOCKER_CONFIG/tls/127.0.0.1:$port"
    cp ca.crt "$DOCKER_CONFIG/tls/127.0.0.1:$port/"
    start docker-registry try_registry
    registry=127.0.0.1:$port
    mkdir -p "$DOCKER_CONFIG/tls/$registry"
    cp ca.crt "$DOCKER_CONFIG/tls/$registry/"
    note "pushing and signing an image with blobs of $BLOB and $LARGE MiB"
    make_image
    sign_image
    start gate try_gate
    gate=127.0.0.1:$port gate_pid=$!
    start nginx try_nginx
    relay=127.0.0.1:$port

    print_machine
    echo '| job | measure | gate | registry | ratio | required |'
    echo '|---|---|--:|--:|--:|--:|'
    first_pulls
    manifests
    blobs
    memory
}

# --- The jobs -----------------------------------------------------------------------------------

# Clients that come all at once for a tag that this gate was never asked for.
first_pulls() {
    local begun answers before curls=()
    kill "$gate_pid"
    wait "$gate_pid" || true
    rm -rf "$world/gate-trust"
    start gate try_gate
    gate=127.0.0.1:$port gate_pid=$!
    before=$(refreshes)
    begun=$(date +%s%N)
    # One curl opens 300 connections at most.
    for _ in 1 2; do
        # shellcheck disable=SC2046
        curl --no-progress-meter --noproxy '*' --parallel --parallel-immediate --parallel-max 250 \
            --header "accept: $TYPE" --write-out '%{http_code}\n' \
            $(printf -- "--output /dev/null http://$gate/v2/bench/app/manifests/1 %.0s" \
                $(seq $((CLIENTS / 2)))) >>codes &
        curls+=($!)
    done
    wait "${curls[@]}"
    answers=$(grep -c '^200$' codes)
    row "$CLIENTS first pulls at once" 'served' "$answers" '' '' "$CLIENTS"
    row "$CLIENTS first pulls at once" 'metadata refreshes' "$(($(refreshes) - before))" '' '' 1
    row "$CLIENTS first pulls at once" 'ms for all' "$((($(date +%s%N) - begun) / 1000000))" '' '' ''
}

refreshes() { grep -c 'timestamp.json' trust-server.log || true; }

manifests() {
    local path=v2/bench/app/manifests/1 ours theirs
    ours=$(rate "http://$gate/$path") theirs=$(rate "https://$registry/$path")
    row 'manifest by tag, warm' 'requests/s' "$ours" "$theirs" "$(ratio "$ours" "$theirs")" '≥ 0.8'
    # Sixteen connections that pause for 16 ms after each answer.
    echo 'function delay() return 16 end' >pause.lua
    row 'manifest by tag, 1,000 requests/s' 'p99 ms' "$(latest "http://$gate/$path")" \
        "$(latest "https://$registry/$path")" '' '< 5'
}

# One after the other in turn: the machine may be another one a minute later.
blobs() {
    local path=v2/bench/app/blobs/sha256:$blob ours theirs relayed
    ask --output /dev/null "http://$gate/v2/bench/app/manifests/1"
    for _ in $(seq "$RUNS"); do
        speed "https://$registry/$path" >>registry.speeds
        speed "http://$gate/$path" >>gate.speeds
        speed "http://$relay/$path" >>relay.speeds
    done
    ours=$(median gate.speeds) theirs=$(median registry.speeds) relayed=$(median relay.speeds)
    row "blob of $BLOB MiB" 'MiB/s' "$ours" "$theirs" "$(ratio "$ours" "$theirs")" '≥ 0.9'
    row 'the same through nginx, which checks nothing' 'MiB/s' "$relayed" "$theirs" \
        "$(ratio "$relayed" "$theirs")" ''
}

speed() {
    ask --http1.1 --cacert ca.crt --output /dev/null --write-out '%{speed_download}\n' "$1"
}

# In MiB.
median() { sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] / 1048576 }'; }

memory() {
    ask --output /dev/null "http://$gate/v2/bench/app/blobs/sha256:$large"
    row "blob of $LARGE MiB, and all before" 'peak MiB' \
        "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$gate_pid/status")" '' '' '< 100'
}

# --- Measuring ----------------------------------------------------------------------------------

rate() {
    load "$1"
    awk '/^Requests\/sec:/ { print $2 }' wrk.log
}

# The time within which 99 of 100 answers came.
latest() {
    load "$1" --latency --script pause.lua
    awk '$1 == "99%" { print $2 ~ /us$/ ? $2 / 1000 : $2 ~ /ms$/ ? $2 + 0 : 1000 * $2 }' wrk.log
}

load() {
    wrk --threads 2 --connections 16 --duration "${SECONDS_EACH}s" --header "accept: $TYPE" \
        "${@:2}" "$1" >wrk.log
    ! grep -q 'Non-2xx' wrk.log || fail "$1: $(grep Non-2xx wrk.log)"
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

row() {
    awk -v job="$1" -v measure="$2" -v gate="$3" -v registry="$4" -v ratio="$5" -v required="$6" 'BEGIN {
        printf "| %s | %s | %s | %s | %s | %s |\n", job, measure, short(gate), short(registry), ratio, required
    }
    function short(n) { return n !~ /^[0-9.]+$/ ? n : n >= 100 || n == int(n) ? sprintf("%d", n) : sprintf("%.1f", n) }'
}

print_machine() {
    local processor
    processor=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) × ${processor:-$(uname -m)}; $(trust --version);" \
        "docker-registry $(version_of docker-registry); wrk with 16 connections; medians of $RUNS downloads"
    echo
}

# --- The image ----------------------------------------------------------------------------------

make_image() {
    local config layers
    blob=$(zeros "$BLOB") large=$(zeros "$LARGE")
    echo '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}' >config.json
    config=$(hash_of config.json)
    mkdir -p "$(dirname "$(stored "$config")")"
    cp config.json "$(stored "$config")"
    linked "$config"
    layers=$(printf '{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d},' \
        "$blob" $((BLOB << 20)) "$large" $((LARGE << 20)))
    cat >manifest.json <<JSON
{"schemaVersion":2,"mediaType":"$TYPE","layers":[${layers%,}],
 "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config",
  "size":$(stat -c %s config.json)}}
JSON
    ask --cacert ca.crt --request PUT --data-binary @manifest.json --header "content-type: $TYPE" \
        "https://$registry/v2/bench/app/manifests/1"
}

# Puts a blob of so many MiB of nothing where the registry keeps them; its hash. It takes no room.
zeros() {
    local file hash
    file=$(mktemp zeros.XXXXXX)
    truncate --size "$1M" "$file"
    hash=$(hash_of "$file")
    mkdir -p "$(dirname "$(stored "$hash")")"
    mv "$file" "$(stored "$hash")"
    linked "$hash"
    echo "$hash"
}

stored() { echo "$world/registry/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"; }

linked() {
    local folder=$world/registry/docker/registry/v2/repositories/bench/app/_layers/sha256/$1
    mkdir -p "$folder"
    printf 'sha256:%s' "$1" >"$folder/link"
}

sign_image() {
    local trust="trust --trust-dir $world/signer"
    $trust key generate bench
    $trust signer add --key bench.pub bench "$registry/bench/app"
    $trust sign "$registry/bench/app:1"
} >sign.log 2>&1

# --- The servers --------------------------------------------------------------------------------

try_trust_server() {
    mkdir -p trust-server
    printf '[log]\nlevel = "debug"\n' >trust-server/server.toml
    trust server run --dir trust-server --listen "127.0.0.1:$port" \
        --tls-cert server.crt --tls-key server.key >trust-server.log 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/_notary_server/health"
}

try_registry() {
    cat >registry.yml <<YAML
version: 0.1
log: { accesslog: { disabled: true }, level: error }
storage: { cache: { blobdescriptor: inmemory }, filesystem: { rootdirectory: $world/registry } }
http: { addr: '127.0.0.1:$port', tls: { certificate: $world/server.crt, key: $world/server.key } }
YAML
    docker-registry serve registry.yml >docker-registry.log 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/v2/"
}

try_gate() {
    DOCKER_CONTENT_TRUST=1 trust --trust-dir "$world/gate-trust" gate proxy --no-tls \
        --listen "127.0.0.1:$port" --upstream "$registry" --decision-log decisions.log \
        >gate.log 2>&1 &
    ready="ask http://127.0.0.1:$port/readyz"
}

# As fast as nginx does it: large buffers, and connections that are kept.
try_nginx() {
    mkdir -p nginx
    cat >nginx/nginx.conf <<CONF
daemon off;
worker_processes auto;
pid $world/nginx/pid;
events { }
http {
    access_log off;
    client_body_temp_path $world/nginx; proxy_temp_path $world/nginx; fastcgi_temp_path $world/nginx;
    scgi_temp_path $world/nginx; uwsgi_temp_path $world/nginx;
    proxy_buffer_size 64k; proxy_buffers 8 256k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;
    upstream registry { server $registry; keepalive 4; }
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass https://registry;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_ssl_verify on;
            proxy_ssl_name localhost;
            proxy_ssl_trusted_certificate $world/ca.crt;
        }
    }
}
CONF
    nginx -p "$world/nginx" -e "$world/nginx.log" -c nginx.conf &
    ready="ask http://127.0.0.1:$port/v2/"
}

readonly TYPE=application/vnd.oci.image.manifest.v1+json
for role in ROOT REPOSITORY; do export "DOCKER_CONTENT_TRUST_${role}_PASSPHRASE=passphrase"; done
main
