#!/usr/bin/env bash
# The trust server beside notary-server on the same PostgreSQL, and nginx serving the same bytes
# as files, all over TLS, in one run: prints a table. Wants trust (a release build) in PATH, and
# what scripts/install-peers --bench installs; PostgreSQL needs root. Judges nothing; leaves
# nothing behind.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lab.sh"

readonly TAGS=10000
readonly SECONDS_EACH=${TRUST_BENCH_SECONDS:-5}
readonly PUBLISHES=${TRUST_BENCH_PUBLISHES:-30}

main() {
    note 'starting PostgreSQL, notary-signer, notary-server, trust twice, nginx'
    make_certificates
    start_postgres
    start notary-signer try_signer
    signer=$port signer_pid=$!
    start notary-server try_notary
    notary_url=https://127.0.0.1:$port notary_pid=$!
    start trust-postgres try_trust_postgres
    postgres_url=https://127.0.0.1:$port postgres_pid=$!
    start trust-sqlite try_trust_sqlite
    sqlite_url=https://127.0.0.1:$port sqlite_pid=$!
    note "publishing a repository of 3 tags and one of $TAGS to each"
    for server in notary postgres sqlite; do
        set_up "$server"
        make_repository "$server" bench/small 3
        make_repository "$server" bench/large "$TAGS"
    done
    start nginx try_nginx
    nginx_url=https://127.0.0.1:$port
    tags_grow_slower_than_the_file

    print_machine
    echo '| job | measure | trust | on SQLite | notary-server | trust / notary | required | nginx | trust / nginx | required |'
    echo '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|'
    get small/timestamp.json bench/small/_trust/tuf/timestamp.json '≥ 30' '≥ 0.4'
    get large/targets.json bench/large/_trust/tuf/targets.json '≥ 3' '≥ 0.7'
    compressed
    publish bench/small 1
    publish bench/large "$TAGS"
    memory
    start_up
}

# --- The jobs -----------------------------------------------------------------------------------

get() {
    local file=$1 path=$2
    local trust sqlite notary nginx
    trust=$(rate "$postgres_url/v2/$path") sqlite=$(rate "$sqlite_url/v2/$path")
    notary=$(rate "$notary_url/v2/$path") nginx=$(rate "$nginx_url/$file")
    row "GET $file" 'requests/s' "$trust" "$sqlite" "$notary" over "$3" "$nginx" "$4"
}

# Bytes on the wire for clients that accept gzip, as docker and notary do.
compressed() {
    local sizes=() url
    for url in "$postgres_url" "$sqlite_url" "$notary_url"; do
        sizes+=("$(ask --cacert ca.crt --header 'Accept-Encoding: gzip' --output /dev/null \
            --write-out '%{size_download}' "$url/v2/bench/large/_trust/tuf/targets.json")")
    done
    row 'GET large/targets.json, gzip accepted' 'bytes' "${sizes[@]}" under '' '' ''
}

# Processor time of the servers for one publish of a new tag: notary-server and notary-signer, or
# trust. The client's own time is not counted, nor PostgreSQL's.
publish() {
    local gun=$1 tags=$2 each=() server
    for server in postgres sqlite notary; do
        each+=("$(cpu_of_publish "$server" "$gun")")
    done
    row "publish, repository of $([[ $tags == 1 ]] && echo 3 || echo "$tags") tags" 'CPU ms' "${each[@]}" under '≤ 1/5' '' ''
}

cpu_of_publish() {
    local server=$1 gun=$2 pids before after number=$PUBLISHES
    case $server in
    notary) pids="$notary_pid $signer_pid" ;;
    postgres) pids=$postgres_pid ;;
    sqlite) pids=$sqlite_pid ;;
    esac
    use "$server"
    before=$(ticks "$pids")
    for ((i = 0; i < number; i++)); do
        $notary addhash -p "$gun" "new-$i-$RANDOM" 1500 --sha256 "$(printf %064d "$i")" >/dev/null
    done
    after=$(ticks "$pids")
    awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n="$number" \
        'BEGIN { print 1000 * ticks / hz / n }'
}

memory() {
    row 'memory after all that' 'MiB' "$(resident $postgres_pid)" "$(resident $sqlite_pid)" \
        "$(resident $notary_pid)" under '≤ 1' '' ''
}

# From the start of the process to the first answer, the store there already; median of nine.
start_up() {
    local folder=$world/trust-sqlite
    kill "$sqlite_pid"
    wait "$sqlite_pid" || true
    local times
    times=$(for _ in 1 2 3 4 5 6 7 8 9; do once_from_start "$folder"; done | sort -n | sed -n 5p)
    row 'start to first answer' 'ms' '' "$times" '' '' '' '' ''
}

once_from_start() {
    local begun answered pid
    begun=$(date +%s%N)
    trust server run --dir "$1" --listen "${sqlite_url#https://}" --tls-cert server.crt --tls-key server.key >/dev/null 2>&1 &
    pid=$!
    until ask --cacert ca.crt "$sqlite_url/v2/" >/dev/null 2>&1; do :; done
    answered=$(date +%s%N)
    kill "$pid"
    wait "$pid" || true
    echo $(((answered - begun) / 1000000))
}

# One more tag may grow the store by a twentieth of the targets file; said, not judged.
tags_grow_slower_than_the_file() {
    local before after size i
    use sqlite
    size=$(ask --cacert ca.crt --output /dev/null --write-out '%{size_download}' \
        "$sqlite_url/v2/bench/large/_trust/tuf/targets.json")
    before=$(stored_bytes)
    for i in 1 2 3 4 5 6 7 8 9 10; do
        $notary addhash -p bench/large "grow-$i" 1500 --sha256 "$(printf %064d "$i")" >/dev/null
    done
    after=$(stored_bytes)
    growth="one more tag than $TAGS: the store grows by $(((after - before) / 10)) bytes; the targets file has $size"
}

stored_bytes() {
    sqlite3 "$world/trust-sqlite/store.db" 'SELECT SUM(LENGTH(data)) FROM files'
}

# --- Measuring ----------------------------------------------------------------------------------

rate() {
    wrk --threads 2 --connections 16 --duration "${SECONDS_EACH}s" "$1" >wrk.log
    grep -q 'Non-2xx' wrk.log && fail "$1: $(grep Non-2xx wrk.log)"
    awk '/^Requests\/sec:/ { print $2 }' wrk.log
}

# Clock ticks that processes spent, together.
ticks() {
    local sum=0 pid words
    for pid in $1; do
        read -ra words < <(sed 's/.*) //' "/proc/$pid/stat")
        sum=$((sum + words[11] + words[12]))
    done
    echo "$sum"
}

resident() { awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$1/status"; }

row() {
    awk -v job="$1" -v measure="$2" -v trust="$3" -v sqlite="$4" -v notary="$5" -v way="$6" \
        -v required="$7" -v nginx="$8" -v nginx_required="$9" 'BEGIN {
        if (way == "over") ratio = sprintf("%.1f", trust / notary)
        else if (way == "under") ratio = sprintf("1/%.1f", notary / trust)
        if (nginx != "") beside = sprintf("%.2f", trust / nginx)
        printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", job, measure, short(trust),
            short(sqlite), short(notary), ratio, required, short(nginx), beside, nginx_required
    }
    function short(n) { return n == "" ? "" : n >= 100 ? sprintf("%d", n) : sprintf("%.1f", n) }'
}

print_machine() {
    local processor
    processor=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) × ${processor:-$(uname -m)}; $(trust --version); notary $(version_of notary);" \
        "PostgreSQL $(version_of postgresql-15); nginx $(version_of nginx-light); wrk with 16 connections"
    echo
    echo "$growth"
    echo
}

# --- The clients --------------------------------------------------------------------------------

set_up() {
    local url=$1_url
    cat >"$1.json" <<JSON
{ "trust_dir": "$world/client-$1", "remote_server": { "url": "${!url}", "root_ca": "$world/ca.crt" } }
JSON
}

use() { notary="notary -c $world/$1.json"; }

make_repository() {
    use "$1"
    $notary init "$2"
    $notary key rotate "$2" snapshot --server-managed
    stage_tags "$world/client-$1/tuf/$2/changelist" targets "$3"
    $notary publish "$2"
} >make.log

# --- The servers --------------------------------------------------------------------------------

start_postgres() {
    local programs
    programs=$(pg_config --bindir 2>/dev/null || ls -d /usr/lib/postgresql/*/bin | tail -n 1)
    mkdir postgres
    chown postgres postgres
    chmod 711 "$world"
    runuser -u postgres -- "$programs/initdb" --auth trust --no-sync -D postgres/data >/dev/null
    runuser -u postgres -- "$programs/postgres" -D "$world/postgres/data" \
        -k "$world/postgres" -c listen_addresses= >postgres.log 2>&1 &
    until psql_do postgres 'SELECT 1' 2>/dev/null; do sleep 0.05; done
    psql_do postgres 'CREATE DATABASE notary'
    psql_do postgres 'CREATE DATABASE signer'
    psql_do postgres 'CREATE DATABASE trust'
    # Notary makes no tables of its own.
    psql_do notary "CREATE TABLE tuf_files (id serial PRIMARY KEY, created_at timestamp,
        updated_at timestamp, deleted_at timestamp, gun varchar(255) NOT NULL,
        role varchar(255) NOT NULL, version integer NOT NULL, data bytea NOT NULL,
        sha256 char(64), UNIQUE (gun, role, version));
        CREATE INDEX tuf_files_sha256 ON tuf_files (sha256);
        CREATE TABLE changefeed (id serial PRIMARY KEY,
        created_at timestamp DEFAULT CURRENT_TIMESTAMP, gun varchar(255) NOT NULL,
        version integer NOT NULL, sha256 char(64), category varchar(20) DEFAULT 'update')"
    psql_do signer "CREATE TABLE private_keys (id serial PRIMARY KEY, created_at timestamp,
        updated_at timestamp, deleted_at timestamp, key_id varchar(255) NOT NULL UNIQUE,
        encryption_alg varchar(255) NOT NULL, keywrap_alg varchar(255) NOT NULL,
        algorithm varchar(50) NOT NULL, passphrase_alias varchar(50) NOT NULL,
        public bytea NOT NULL, private bytea NOT NULL, gun varchar(255) NOT NULL,
        role varchar(255) NOT NULL, last_used timestamp)"
}

psql_do() { psql --quiet --host "$world/postgres" --username postgres --dbname "$1" --command "$2" >/dev/null; }

database() { echo "host=$world/postgres user=postgres dbname=$1 sslmode=disable"; }

try_signer() {
    cat >notary-signer.json <<JSON
{ "server": { "grpc_addr": "127.0.0.1:$port",
              "tls_cert_file": "$world/server.crt", "tls_key_file": "$world/server.key" },
  "storage": { "backend": "postgres", "db_url": "$(database signer)", "default_alias": "bench" },
  "logging": { "level": "error" } }
JSON
    NOTARY_SIGNER_BENCH=passphrase notary-signer -config notary-signer.json >notary-signer.log 2>&1 &
    ready="eval : </dev/tcp/127.0.0.1/$port"
}

try_notary() {
    cat >notary-server.json <<JSON
{ "server": { "http_addr": "127.0.0.1:$port",
              "tls_cert_file": "$world/server.crt", "tls_key_file": "$world/server.key" },
  "trust_service": { "type": "remote", "hostname": "127.0.0.1", "port": "$signer",
                     "tls_ca_file": "$world/ca.crt", "key_algorithm": "ecdsa" },
  "storage": { "backend": "postgres", "db_url": "$(database notary)" },
  "logging": { "level": "error" } }
JSON
    notary-server -config notary-server.json >notary-server.log 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/_notary_server/health"
}

try_trust_postgres() {
    try_trust postgres --store "postgres:///trust?host=$world/postgres&user=postgres"
}

try_trust_sqlite() { try_trust sqlite; }

try_trust() {
    local name=$1
    shift
    trust server run --dir "$world/trust-$name" --listen "127.0.0.1:$port" \
        --tls-cert server.crt --tls-key server.key "$@" >"trust-$name.log" 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/_notary_server/health"
}

try_nginx() {
    mkdir -p files/small files/large nginx
    for gun in small large; do
        for file in timestamp targets; do
            ask --cacert ca.crt --output "files/$gun/$file.json" \
                "$postgres_url/v2/bench/$gun/_trust/tuf/$file.json"
        done
    done
    cat >nginx.conf <<NGINX
daemon off; pid $world/nginx/pid; worker_processes auto; error_log stderr error;
events { worker_connections 1024; }
http {
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=100;
    client_body_temp_path nginx; proxy_temp_path nginx; fastcgi_temp_path nginx;
    uwsgi_temp_path nginx; scgi_temp_path nginx;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $world/server.crt; ssl_certificate_key $world/server.key;
        root $world/files;
    }
}
NGINX
    chmod -R a+rX files
    nginx -p "$world" -c "$world/nginx.conf" >nginx.log 2>&1 &
    ready="ask --cacert ca.crt https://127.0.0.1:$port/small/timestamp.json"
}

for role in ROOT TARGETS SNAPSHOT DELEGATION; do export "NOTARY_${role}_PASSPHRASE=passphrase"; done
main
