# Servers for a while, on ports of their own: sourced by scripts that start several.
# Everything is in the folder $world, which is gone at the end with all that was started.
# shellcheck shell=bash
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Calls the given function with ports until its service runs and answers.
start() {
    local name=$1 try=$2 deadline
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        $try
        deadline=$((SECONDS + 30))
        while ((SECONDS < deadline)) && kill -0 $! 2>/dev/null; do
            if $ready >/dev/null 2>&1; then return; fi
            sleep 0.05
        done
        # Somebody has this port: the next one.
        grep -q 'address already in use' "$name.log" || fail "$name: $(tail -n 5 "$name.log")"
    done
    fail "$name found no free port"
}

note() { printf '%s\n' "$1" >&2; }

fail() {
    printf "$(basename "$0" .sh): %s\n" "$1" >&2
    exit 1
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    # Only what still runs: the number of one that ended may be somebody else's by now.
    local running
    read -ra running <<<"$(jobs -rp | tr '\n' ' ')"
    if ((${#running[@]})); then
        kill "${running[@]}" 2>/dev/null || true
        wait "${running[@]}" 2>/dev/null || true
    fi
    cd /
    rm -rf "$world"
    exit "$code"
}

make_certificates() {
    local new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc)
    openssl req -x509 "${new[@]}" -days 2 -subj '/CN=benchmark authority' \
        -keyout ca.key -out ca.crt 2>/dev/null
    openssl req "${new[@]}" -subj /CN=localhost -keyout server.key -out server.csr 2>/dev/null
    openssl x509 -req -in server.csr -days 1 -CA ca.crt -CAkey ca.key -CAcreateserial \
        -extfile <(echo 'subjectAltName = IP:127.0.0.1, DNS:localhost') -out server.crt 2>/dev/null
}

ask() { curl --silent --show-error --fail --noproxy '*' "$@"; }

# A trust server with what it makes itself, and a docker set-up that goes by it.
start_trust_server() {
    local url
    trust server run --dir "$world/server" --listen 127.0.0.1:0 >server.log 2>server.err &
    until grep -q '^listening on ' server.log; do
        kill -0 $! 2>/dev/null || fail "trust server: $(tail -n 5 server.err)"
        sleep 0.05
    done
    url=$(sed -n 's/^listening on //p' server.log)
    export DOCKER_CONTENT_TRUST_SERVER=$url
    mkdir -p "$DOCKER_CONFIG/tls/${url#https://}"
    cp server/ca.crt "$DOCKER_CONFIG/tls/${url#https://}/"
}

# A registry that speaks plain HTTP.
try_registry() {
    cat >registry.yml <<YAML
version: 0.1
storage: { filesystem: { rootdirectory: $world/registry } }
http: { addr: '127.0.0.1:$port' }
YAML
    docker-registry serve registry.yml >docker-registry.log 2>&1 &
    ready="ask http://127.0.0.1:$port/v2/"
}

hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# Debian builds notary without a version of its own.
version_of() { dpkg-query --show --showformat '${Version}' "$1" 2>/dev/null || echo 'of unknown version'; }

# Writes what `notary addhash` would stage, without starting it thousands of times.
stage_tags() {
    local folder=$1 role=$2 tags=$3 number=0 data
    mkdir -p "$folder"
    # As long as a multiple of three, so that the base64 of all is that of each, line by line.
    local target='{"length":1500,"hashes":{"sha256":"%042d0="}}  '
    # shellcheck disable=SC2059,SC2046
    printf "$target" $(seq "$tags") | base64 --wrap 112 | while read -r data; do
        number=$((number + 1))
        printf '{"action":"create","role":"%s","type":"target","path":"%s","data":"%s"}' \
            "$role" "v1.$number" "$data" >"$folder/tag-$number.change"
    done
}

# The path of a unix socket must stay short, so not below TMPDIR.
world=$(mktemp -d /tmp/lab.XXXXXX)
trap clean_up EXIT INT TERM
cd "$world"
# Nothing of the caller's own Docker set-up is read or written.
export HOME=$world DOCKER_CONFIG=$world/docker
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTENT_TRUST
