#!/usr/bin/env bash
# The same jobs done by trust, by docker and by notary on one server, in one run: prints a table
# of medians. Wants trust (a release build) in PATH, and what scripts/install-peers --bench
# installs. Judges nothing; leaves nothing behind.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lab.sh"

readonly TAGS=10000
readonly RUNS=${TRUST_BENCH_RUNS:-30}

main() {
    note 'starting a trust server and a registry'
    make_certificates
    start notary-server try_trust_server
    server=https://127.0.0.1:$port
    start docker-registry try_registry
    registry=localhost:$port
    note "signing 3 tags in one repository and $TAGS in two others"
    set_up_clients
    make_repository "$registry/team/small" targets/releases 3
    make_repository "$registry/team/large" targets/releases "$TAGS"
    make_repository "$registry/team/plain" targets "$TAGS"
    take_keys
    push_manifest team/large
    push_manifest team/plain

    print_machine
    echo '| job | measure | trust | peer | ratio | required |'
    echo '|---|---|--:|--:|--:|--:|'
    inspect_small
    verify_one_of_many
    sign_one_more team/large targets/releases
    sign_one_more team/plain targets
}

# --- The jobs: a command line of ours, one of the peer's. Each program has a cache of its own. ---

inspect_small() {
    local image=$registry/team/small
    local ours="$trust inspect $image" theirs="docker trust inspect $image"
    time_both "$ours" true "$theirs" true
    row '`trust inspect`, 3 tags, warm' 'wall ms' $(medians) 1/5
    row '`trust inspect`, 3 tags, warm' 'peak MiB' "$(peak "$ours")" "$(peak "$theirs")" 1/2
}

verify_one_of_many() {
    local image=$registry/team/large:v1.5000
    local ours="$trust verify $image" theirs="docker trust inspect $image"
    time_both "$ours" true "$theirs" true
    row "\`trust verify\`, 1 of $TAGS tags, warm" 'wall ms' $(medians) 1/20
    time_both "$ours" "rm -r $world/trust" "$theirs" "rm -r $world/docker/trust"
    row "\`trust verify\`, 1 of $TAGS tags, cold" 'wall ms' $(medians) 1/8
}

# A new tag each time: signing the same one again would change nothing.
sign_one_more() {
    local gun=$registry/$1 role=$2 next="sh -c 'date +t%s%N >$world/tag'"
    local ours="trust --trust-dir $world/signer sign $gun:\$tag@sha256:$digest"
    local theirs="$notary addhash -p -r $role $gun \$tag $size --sha256 $digest"
    time_both "sh -c 'read -r tag <$world/tag; exec $ours'" "$next" \
        "sh -c 'read -r tag <$world/tag; exec $theirs'" "$next"
    row "\`trust sign\`, 1 more than $TAGS tags in \`$role\`" 'CPU ms' $(cpu) 1/6
}

# --- Measuring ----------------------------------------------------------------------------------

# Our command line and what prepares each run of it, then the peer's.
time_both() {
    note "timing: $1"
    hyperfine --shell=none --style=basic --warmup 3 --runs "$RUNS" --export-csv "$world/times.csv" \
        --prepare "$2" --command-name trust "$1" \
        --prepare "$4" --command-name peer "$3" >"$world/hyperfine.log" 2>&1 ||
        fail "$(tail -n 5 "$world/hyperfine.log")"
}

# Median wall time in ms: ours, the peer's. Columns: command,mean,stddev,median,user,system,min,max
medians() { awk -F, 'NR > 1 { print 1000 * $4 }' "$world/times.csv"; }

# Mean time on the processor in ms: ours, the peer's. hyperfine keeps no medians of these.
cpu() { awk -F, 'NR > 1 { print 1000 * ($5 + $6) }' "$world/times.csv"; }

# Median of five peaks of resident memory in MiB.
peak() {
    local words
    read -ra words <<<"$1"
    for _ in 1 2 3 4 5; do
        /usr/bin/time --format %M --output "$world/peak" "${words[@]}" >/dev/null
        cat "$world/peak"
    done | sort -n | awk 'NR == 3 { print $1 / 1024 }'
}

row() {
    awk -v job="$1" -v measure="$2" -v ours="$3" -v peer="$4" -v required="$5" 'BEGIN {
        printf "| %s | %s | %.1f | %.1f | 1/%.1f | %s |\n", job, measure, ours, peer, peer / ours, required
    }'
}

print_machine() {
    local processor
    processor=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) × ${processor:-$(uname -m)}; $(trust --version); $(docker --version);" \
        "notary $(version_of notary); medians of $RUNS runs (CPU: means)"
    echo
}

# --- The repositories ---------------------------------------------------------------------------

set_up_clients() {
    mkdir -p "$DOCKER_CONFIG/tls/127.0.0.1:${server##*:}"
    cp ca.crt "$DOCKER_CONFIG/tls/127.0.0.1:${server##*:}/"
    export DOCKER_CONTENT_TRUST_SERVER=$server
    cat >notary.json <<JSON
{ "trust_dir": "$world/notary", "remote_server": { "url": "$server", "root_ca": "$world/ca.crt" } }
JSON
    trust="trust --trust-dir $world/trust"
    notary="notary -c $world/notary.json"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out releases.key
    openssl pkey -in releases.key -pubout -out releases.pub
    $notary key import releases.key --role targets/releases
}

# Makes a repository where a role signs so many tags: targets/releases as docker has it, or
# targets as notary has it where nobody says otherwise.
make_repository() {
    local gun=$1 role=$2 tags=$3
    $notary init "$gun"
    if [[ $role != targets ]]; then
        $notary delegation add "$gun" "$role" releases.pub --all-paths
    fi
    $notary key rotate "$gun" snapshot --server-managed
    stage_tags "$world/notary/tuf/$gun/changelist" "$role" "$tags"
    $notary publish "$gun"
} >make.log

# trust signs with the same keys, from a folder of its own.
take_keys() {
    mkdir signer
    cp -r notary/private signer/
}

# Pushes an image without layers; `trust sign` looks it up by its digest.
push_manifest() {
    local config
    echo '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}' >config.json
    config=sha256:$(hash_of config.json)
    cat >manifest.json <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],
 "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"$config",
  "size":$(stat -c %s config.json)}}
JSON
    local upload
    upload=$(ask --request POST --output /dev/null --write-out '%header{location}' \
        "http://$registry/v2/$1/blobs/uploads/")
    ask --request PUT --data-binary @config.json \
        --header 'content-type: application/octet-stream' "$upload&digest=$config"
    digest=$(hash_of manifest.json) size=$(stat -c %s manifest.json)
    ask --request PUT --data-binary @manifest.json \
        --header 'content-type: application/vnd.oci.image.manifest.v1+json' \
        "http://$registry/v2/$1/manifests/sha256:$digest"
}

# --- The servers --------------------------------------------------------------------------------

try_trust_server() {
    cat >notary-server.json <<JSON
{ "server": { "http_addr": "127.0.0.1:$port",
              "tls_cert_file": "$world/server.crt", "tls_key_file": "$world/server.key" },
  "trust_service": { "type": "local" },
  "storage": { "backend": "memory" },
  "logging": { "level": "error" } }
JSON
    notary-server -config notary-server.json >notary-server.log 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/_notary_server/health"
}

try_registry() {
    cat >registry.yml <<YAML
version: 0.1
log: { accesslog: { disabled: true }, level: error }
storage: { filesystem: { rootdirectory: $world/registry } }
http: { addr: '127.0.0.1:$port' }
YAML
    docker-registry serve registry.yml >docker-registry.log 2>&1 &
    ready="ask http://127.0.0.1:$port/v2/"
}

for role in CONTENT_TRUST_ROOT CONTENT_TRUST_REPOSITORY; do export "DOCKER_${role}_PASSPHRASE=passphrase"; done
for role in ROOT TARGETS SNAPSHOT DELEGATION; do export "NOTARY_${role}_PASSPHRASE=passphrase"; done
main
