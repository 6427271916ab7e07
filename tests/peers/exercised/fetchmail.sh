#!/bin/sh
# fetchmail.sh TLS HOST PORT USER PASSWORD CA HOME OUT SECONDS: all messages, each to a delivery agent.
set -u
tls=$1 host=$2 port=$3 user=$4 password=$5 ca=$6 home=$7 out=$8 seconds=$9
case $tls in
none) secure="sslproto ''" ;;
stls) secure="sslproto 'tls1.2+' sslcertck sslcertfile '$ca'" ;;
implicit) secure="ssl sslproto 'tls1.2+' sslcertck sslcertfile '$ca'" ;;
esac
cat >"$home/deliver" <<'AGENT'
n=100
while [ -e "$1/$n.eml" ]; do n=$((n + 1)); done
exec cat >"$1/$n.eml"
AGENT
touch "$home/rc" && chmod 600 "$home/rc"
cat >"$home/rc" <<RC
set no syslog
set invisible
set no bouncemail
set idfile "$home/ids"
set pidfile "$home/pid"
poll "$host" service "$port" protocol POP3 auth password timeout $seconds
  user "$user" password "$password" is root here $secure
  fetchall keep no rewrite no mimedecode pass8bits mda "/bin/sh $home/deliver $out"
RC
fetchmail --nodetach --nosyslog -f "$home/rc" >"$home/said"
status=$?
[ $status != 1 ] || status=0 # there was no mail
exit $status
