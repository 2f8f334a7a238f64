#!/bin/sh
# Load figures of the service, next to a handler that does nothing but read the
# body on the same server: verify_access_token, and a GET that is authenticated
# with a token, over SQLite as the service is by default, and over PostgreSQL with
# the cache.
#
#	macaroon/cmd/onezone/load.sh [SECONDS]
#
# Each case takes SECONDS, 60 by default. It needs Go, curl, wrk, and PostgreSQL:
# the server of $ONEZONE_LOAD_POSTGRES (a URL), or one that it makes from Debian's
# binaries. It fails where an answer is not 200, and where a rate is less than half
# of the baseline's.
set -eu

seconds=${1:-60}
connections=${ONEZONE_LOAD_CONNECTIONS:-32}
target=${ONEZONE_LOAD_TARGET:-0.5}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
pids="" database=""

clean() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	if [ -n "$database" ]; then as_postgres "$database/pg_ctl" stop -s -m fast -D "$work/pg/data" || true; fi
	wait
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

# as_postgres runs a program as somebody else than root, whom PostgreSQL refuses.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$work/pg" && setpriv --reuid postgres --regid postgres --clear-groups "$@")
	else
		"$@"
	fi
}

# postgres makes a server, and leaves its URL in $url.
postgres() {
	url=${ONEZONE_LOAD_POSTGRES:-}
	[ -z "$url" ] || return 0
	bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
	mkdir "$work/pg"
	if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
	as_postgres "$bin/initdb" -D "$work/pg/data" -U postgres -A trust >"$work/initdb.log"
	as_postgres "$bin/pg_ctl" start -s -w -D "$work/pg/data" -l "$work/pg/log" -o "-p 19432 -h 127.0.0.1 -k $work/pg"
	database=$bin
	url="postgres://postgres@127.0.0.1:19432/postgres?sslmode=disable"
}

# serve NAME STORE starts the service and makes the token that it is asked about.
serve() {
	mkdir "$work/$1"
	(cd "$work/$1" && exec "$work/bin/onezone" serve --demo --address 127.0.0.1:19080 --store "$2" >out 2>log) &
	pid=$!
	pids="$pids $pid"
	n=0
	until [ "$(grep -c ^curl "$work/$1/out" 2>/dev/null)" = 2 ]; do
		n=$((n + 1))
		[ $n -lt 300 ] || { cat "$work/$1/log" >&2; exit 1; }
		sleep 0.1
	done
	token=$(grep '^curl -u' "$work/$1/out" | sed 's/^curl/curl -sS/' | sh | sed 's/.*"token":"\([^"]*\)".*/\1/')
}

# scripts writes what wrk is to send with the token.
scripts() {
	cat >"$work/verify.lua" <<-LUA
		wrk.method = "POST"
		wrk.body = '{"token":"$token","peerIp":"127.0.0.1","interface":"rest"}'
		wrk.headers["Content-Type"] = "application/json"
	LUA
	cat >"$work/get.lua" <<-LUA
		wrk.headers["X-Auth-Token"] = "$token"
	LUA
}

rss() { awk '/^VmRSS/ {printf "%.0f", $2 / 1024}' "/proc/$pid/status"; }

# load NAME CASE PORT PATH prints a row of the table, after two seconds that do not
# count.
load() {
	wrk -t 2 -c "$connections" -d 2 -s "$work/$2.lua" "http://127.0.0.1:$3$4" >/dev/null
	before=$(rss)
	wrk -t 2 -c "$connections" -d "$seconds" --latency -s "$work/$2.lua" "http://127.0.0.1:$3$4" >"$work/wrk"
	after=$(rss)
	if grep -E 'Non-2xx|Socket errors' "$work/wrk" >&2; then echo "FAILED: $1 $2 is not answered as it should be" >&2; exit 1; fi
	rate=$(awk '/^Requests\/sec/ {print $2}' "$work/wrk")
	if [ "$1" = baseline ]; then eval "baseline_$2=$rate"; fi
	base=$(eval "echo \$baseline_$2")
	awk -v name="$1" -v what="$2" -v rate="$rate" -v base="$base" -v before="$before" -v after="$after" -v target="$target" '
		/^ +50%/ {p50 = $2}
		/^ +99%/ {p99 = $2}
		END {
			printf "| %-8s | %-6s | %8.0f | %8s | %8s | %6s | %6s | %5.2f%s |\n", name, what, rate, p50, p99, before, after, rate / base,
				rate / base < target ? " **missed**" : ""
		}' "$work/wrk" | tee -a "$work/table"
}

api=/api/v3/onezone
(cd "$here" && go build -o "$work/bin/" . github.com/onezone-go/onezone/internal/testing/baseline)

serve sqlite sqlite:data/onezone.db
sqlite_pid=$pid sqlite_token=$token
"$work/bin/baseline" 127.0.0.1:19081 >"$work/baseline.log" &
pid=$!
pids="$pids $pid"
scripts # of the same length as any
echo "| server   | case   |    req/s |      p50 |      p99 | RSS MB |    end | ratio |"
echo "| -------- | ------ | -------: | -------: | -------: | -----: | -----: | ----: |"
load baseline verify 19081 $api/tokens/verify_access_token
load baseline get 19081 $api/user/tokens/temporary

pid=$sqlite_pid token=$sqlite_token
scripts
load sqlite verify 19080 $api/tokens/verify_access_token
load sqlite get 19080 $api/user/tokens/temporary
kill "$pid"
wait "$pid"

postgres
serve postgres "$url"
scripts
load postgres verify 19080 $api/tokens/verify_access_token
load postgres get 19080 $api/user/tokens/temporary
kill "$pid"
wait "$pid"

if grep -q missed "$work/table"; then echo "FAILED: a rate is under $target of the baseline's" >&2; exit 1; fi
