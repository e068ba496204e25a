#!/bin/sh
# Starts a directory of this example's own on 127.0.0.1, from the installed packages (Debian: slapd, ldap-utils).
#   directory/start.sh         starts it; the first time with what content.ldif says
#   directory/start.sh stop    stops it
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/server
port=${LDAP_PORT:-3890}
PATH=$PATH:/usr/sbin:/usr/local/sbin

if [ "${1:-start}" = stop ]; then
  pid=$(cat "$folder/slapd.pid")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  exit
fi
command -v slapd >/dev/null || { echo 'This needs slapd: apt-get install slapd ldap-utils' >&2; exit 1; }
for schema in /etc/ldap/schema /etc/openldap/schema; do [ -d "$schema" ] && break; done
for modules in /usr/lib/ldap /usr/lib/openldap /usr/libexec/openldap; do [ -d "$modules" ] && break; done
if [ ! -d "$folder/data" ]; then
  mkdir -p "$folder/data"
  sed "s|FOLDER|$folder|; s|SCHEMA|$schema|; s|MODULES|$modules|" "$here/slapd.conf" > "$folder/slapd.conf"
  slapadd -q -f "$folder/slapd.conf" -l "$here/content.ldif"
fi
slapd -f "$folder/slapd.conf" -h "ldap://127.0.0.1:$port"
until ldapsearch -x -H "ldap://127.0.0.1:$port" -s base -b '' >/dev/null 2>&1; do sleep 0.1; done
echo "The directory answers on ldap://127.0.0.1:$port"
