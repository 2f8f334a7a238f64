#!/bin/sh
# The life of a token, told by curl: it is made, used, lent in a weaker form,
# verified, revoked, restored and deleted. It needs a running service, and a user:
#
#	macaroon/cmd/onezone/life.sh http://127.0.0.1:9080 demo PASSWORD
#
# It stops at the first answer that is not the one it expects, and leaves the
# service as it found it, but for the generation of the user's temporary tokens.
set -eu

[ $# -eq 3 ] || { echo "usage: $0 URL USER PASSWORD" >&2; exit 2; }
api=$1/api/v3/onezone user=$2 password=$3

# Who the next requests come from. The credentials reach curl on its standard
# input, where no list of processes shows them.
as_user() { credentials="user = \"$user:$password\""; }
as_token() { credentials="header = \"x-auth-token: $1\""; }
as_nobody() { credentials=""; }

# call METHOD PATH STATUS [JSON] sends a request, and demands the status. The body
# of the answer is in $answer then.
call() {
	answer=$(printf '%s\n' "$credentials" | curl --silent --show-error --max-time 30 --config - \
		--request "$1" --header 'content-type: application/json' --data "${4-}" \
		--write-out '\n%{http_code}' "$api$2")
	status=${answer##*
}
	answer=${answer%
*}
	[ "$status" = "$3" ] || { echo "FAILED: $1 $2 is answered with $status, not $3: $answer" >&2; exit 1; }
	echo "  $status $1 $2" | cut -c 1-100
}

# expect TEXT demands that it is in the last answer.
expect() {
	case $answer in
	*"$1"*) ;;
	*) echo "FAILED: there is no $1 in $answer" >&2; exit 1 ;;
	esac
}

# text KEY and number KEY print a value out of the last answer.
text() { printf '%s' "$answer" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
number() { printf '%s' "$answer" | sed -n 's/.*"'"$1"'":\([0-9]*\).*/\1/p'; }

in_an_hour=$(($(date +%s) + 3600))

echo "1. A user logs in with a password and gets a token, as old clients do."
as_user
call POST /user/client_tokens 200
legacy=$(text token)
call GET /user/client_tokens 200
expect "$legacy"

echo "2. The token stands for the user from now on."
as_token "$legacy"
call GET /user/tokens/named 200

echo "3. It makes another one, which has a name."
call POST /user/tokens/named 201 "{\"name\": \"laptop of $in_an_hour\"}"
id=$(text tokenId) token=$(text token)
call GET "/tokens/named/$id" 200
expect "$token"

echo "4. A copy that is good for an hour, and from this machine only. It takes no password to make one."
as_nobody
call POST /tokens/confine 200 "{\"token\": \"$token\", \"caveats\": [
	{\"type\": \"time\", \"validUntil\": $in_an_hour}, {\"type\": \"ip\", \"whitelist\": [\"127.0.0.0/8\"]}]}"
lent=$(text token)
call POST /tokens/examine 200 "{\"token\": \"$lent\"}"
expect '"validUntil":'$in_an_hour

echo "5. A service that receives it has it verified: here it is good, elsewhere it is not."
call POST /tokens/verify_access_token 200 "{\"token\": \"$lent\", \"peerIp\": \"127.0.0.1\"}"
expect '"type":"user"'
call POST /tokens/verify_access_token 400 "{\"token\": \"$lent\", \"peerIp\": \"192.0.2.1\"}"
expect tokenCaveatUnverified

echo "6. The token is revoked, and with it the copy."
as_token "$legacy"
call PATCH "/tokens/named/$id" 204 '{"revoked": true}'
call GET "/tokens/named/$id/status" 200
expect '"revoked":true'
as_token "$lent"
call GET /user/tokens/named 401
expect tokenRevoked

echo "7. It is restored, and both work again."
as_token "$legacy"
call PATCH "/tokens/named/$id" 204 '{"revoked": false}'
as_token "$lent"
call GET /user/tokens/named 200
expect "$id"

echo "8. It is deleted, for ever."
as_token "$legacy"
call DELETE "/tokens/named/$id" 204
as_token "$lent"
call GET /user/tokens/named 401
expect tokenInvalid

echo "9. A temporary token leaves no record; it needs an end."
as_user
call POST /user/tokens/temporary 400 '{}'
expect tokenTimeCaveatRequired
call POST /user/tokens/temporary 201 "{\"caveats\": [{\"type\": \"time\", \"validUntil\": $in_an_hour}]}"
temporary=$(text token)
as_token "$temporary"
call GET /user/tokens/temporary 200
generation=$(number generation)

echo "10. All temporary tokens of the user are revoked at once: the next generation begins."
as_user
call DELETE /user/tokens/temporary 204
call GET /user/tokens/temporary 200
expect "\"generation\":$((generation + 1))"
as_token "$temporary"
call GET /user/tokens/temporary 401
expect tokenRevoked

echo "11. The first token is deleted by its text, as old clients do."
as_user
call DELETE "/user/client_tokens/$legacy" 204
as_token "$legacy"
call GET /user/client_tokens 401
expect tokenInvalid

echo "12. A wrong password is just that."
password=$password-wrong
as_user
call POST /user/client_tokens 401
expect badBasicCredentials

echo "The whole life of a token, as expected."
