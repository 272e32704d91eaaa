#!/usr/bin/env bash
# The main job from the first key to a refused pull and a gate, on loopback, in about ten seconds.
# Needs trust in PATH, docker-registry, skopeo, busybox and curl;
# with dockerd and as root it also pulls. Leaves nothing behind.
set -euo pipefail
# shellcheck source=../scripts/lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lab.sh"

main() {
    step 'A trust server and a registry on loopback'
    start_trust_server
    printf '\n$ trust server run &\n%s\n' "$(cat server.log)"
    start_registry
    start_engine
    push_image signed 'the image that nigel signs'
    push_image unsigned 'an image that nobody signed'

    step 'Nigel makes a key and becomes a signer of the repository'
    run trust key generate nigel
    run trust signer add --key nigel.pub nigel "$app"

    step 'He signs, and everybody can look'
    run trust sign "$app:signed"
    run trust inspect --pretty "$app:signed"
    run trust verify "$app:signed"
    pull "$app:signed"

    step 'An unsigned tag is refused'
    refused 'No valid trust data for unsigned' trust verify "$app:unsigned"
    if [[ $engine ]]; then
        refused 'No valid trust data for unsigned' trust pull "$app:unsigned"
    fi

    step 'Somebody swaps the image behind the signed tag'
    signed=$(trust verify -q "$app:signed")
    run skopeo copy --quiet --insecure-policy --src-tls-verify=false --dest-tls-verify=false \
        "docker://$app:unsigned" "docker://$app:signed"
    swapped=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$app:signed")
    refused digest-not-signed trust verify "$app@$swapped"
    # The signed name still means the signed image, whatever the tag points to.
    [[ $(trust verify -q "$app:signed") == "$signed" ]]
    pull "$app:signed"

    step 'A gate: a registry that gives every client only what is signed'
    start_gate
    run skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$gate/team/app:signed"
    refused 'No valid trust data for unsigned' \
        skopeo inspect --tls-verify=false "docker://$gate/team/app:unsigned"

    step 'Done: what was signed is trusted, what was not is refused'
}

step() { printf '\n=== %s\n' "$1"; }

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# The command must end with exit code 1 and say the words.
refused() {
    local words=$1 output code=0
    shift
    printf '\n$ %s\n' "$*"
    output=$("$@" 2>&1) || code=$?
    printf '%s\n' "$output"
    if ((code != 1)) || [[ $output != *"$words"* ]]; then
        fail "expected exit code 1 and '$words', got $code"
    fi
}

pull() {
    if [[ $engine ]]; then
        run trust pull "$1"
    fi
}

start_gate() {
    cat >policy.toml <<TOML
[[rule]]
match = "$app"
require = "signed"
first_use = true
TOML
    run trust policy check policy.toml
    trust gate proxy --policy policy.toml --no-tls --listen 127.0.0.1:0 --upstream "${app%%/*}" \
        >gate.log 2>gate.err &
    until grep -q '^listening on ' gate.log; do
        kill -0 $! 2>/dev/null || fail "gate: $(tail -n 5 gate.err)"
        sleep 0.05
    done
    gate=$(sed -n 's|^listening on http://||p' gate.log)
    printf '\n$ trust gate proxy --policy policy.toml &\n%s\n' "$(cat gate.log)"
}

start_registry() {
    start docker-registry try_registry
    app=localhost:$port/team/app
}

start_engine() {
    engine=
    if ((EUID != 0)) || ! command -v dockerd >/dev/null; then
        echo '(no dockerd or not root: the pulls are left out)'
        return
    fi
    export DOCKER_HOST=unix://$world/d.sock
    start dockerd try_engine
    engine=yes
}

try_engine() {
    echo '{}' >daemon.json
    dockerd --config-file daemon.json --data-root "$world/data" --exec-root "$world/exec" \
        --pidfile "$world/pid" --host "$DOCKER_HOST" --iptables=false --ip6tables=false \
        --bridge=none --storage-driver=vfs >dockerd.log 2>&1 &
    ready="ask --unix-socket $world/d.sock http://docker/_ping"
}

# Pushes an image with busybox and one file that holds the given words.
push_image() {
    local tag=$1 root=image-$1
    mkdir -p "$root/bin"
    cp "$(command -v busybox)" "$root/bin/busybox"
    echo "$2" >"$root/words"
    oci_layout "$root" "oci-$tag"
    skopeo copy --quiet --insecure-policy --dest-tls-verify=false "oci:oci-$tag:image" \
        "docker://$app:$tag"
}

# Writes folder $1 as a one-layer image in OCI layout $2.
oci_layout() {
    local blobs=$2/blobs/sha256 layer config manifest
    mkdir -p "$blobs"
    tar -C "$1" -cf layer.tar .
    layer=$(blob layer.tar)
    cat >config.json <<JSON
{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/busybox","cat","/words"]},
 "rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
JSON
    config=$(blob config.json)
    cat >manifest.json <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
 "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
  "digest":"sha256:$config","size":$(size config.json)},
 "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",
  "digest":"sha256:$layer","size":$(size layer.tar)}]}
JSON
    manifest=$(blob manifest.json)
    echo '{"imageLayoutVersion":"1.0.0"}' >"$2/oci-layout"
    cat >"$2/index.json" <<JSON
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
 "digest":"sha256:$manifest","size":$(size manifest.json),
 "annotations":{"org.opencontainers.image.ref.name":"image"}}]}
JSON
}

# Puts a copy of the file among the caller's blobs and prints its hash.
blob() {
    local hash
    hash=$(sha256sum "$1" | cut -d' ' -f1)
    cp "$1" "$blobs/$hash"
    echo "$hash"
}

size() { stat -c %s "$1"; }

mkdir "$DOCKER_CONFIG"
# On a terminal without these two, trust asks.
export DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE=a-root-passphrase
export DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE=a-repository-passphrase
main
