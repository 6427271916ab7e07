#!/bin/sh
# curl.sh TLS HOST PORT USER PASSWORD CA HOME OUT SECONDS: a LIST, then one RETR for each line of it.
# A message that curl says it could not get is not kept: --remove-on-error is its own way to say so.
set -u
tls=$1 host=$2 port=$3 user=$4 password=$5 ca=$6 home=$7 out=$8 seconds=$9
scheme=pop3
[ "$tls" != implicit ] || scheme=pop3s
{
    printf 'user = "%s:%s"\ncacert = "%s"\nmax-time = %s\n' "$user" "$password" "$ca" "$seconds"
    [ "$tls" != stls ] || echo ssl-reqd
} >"$home/config"
fetch() { curl -q -sS --fail-early --remove-on-error -K "$home/config" "$@"; }

fetch -o "$home/listing" "$scheme://$host:$port/" || exit
set --
# A listing of nothing comes as one empty line.
for number in $(tr -d '\r' <"$home/listing" | sed -n 's/^\([0-9][0-9]*\).*/\1/p'); do
    set -- "$@" -o "$out/$number.eml" "$scheme://$host:$port/$number"
done
[ $# = 0 ] || fetch "$@"
