#!/bin/sh
# Starts two directories of this example's own on this machine, from the installed packages: a domain of Active Directory
# (Samba, which needs root) and an LDAP directory (OpenLDAP).
#   directories/start.sh         starts them; the first time with what ad.ldif and ldap.ldif say
#   directories/start.sh stop    stops them
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ad=$here/server/ad
ldap=$here/server/ldap
address=${AD_HOST:-127.0.0.77}
port=${LDAP_PORT:-3891}
PATH=$PATH:/usr/sbin:/usr/local/sbin
packages='slapd ldap-utils openssl samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind'
administrator=CN=Administrator,CN=Users,DC=example,DC=test
LDAPTLS_CACERT=$ad/ca.pem
export LDAPTLS_CACERT

if [ "${1:-start}" = stop ]; then
  for file in "$ad/samba.pid" "$ldap/slapd.pid"; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
  exit
fi
for program in slapd ldapadd openssl samba samba-tool; do
  command -v "$program" >/dev/null || { echo "This needs $program: apt-get install --no-install-recommends $packages" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo 'This needs root: Active Directory listens on ports below 1024 and on no others' >&2; exit 1; }

certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj '/CN=Example authority' -keyout "$ad/ca.key" -out "$ad/ca.pem"
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj '/CN=dc1' -addext "subjectAltName=IP:$address" \
    -CA "$ad/ca.pem" -CAkey "$ad/ca.key" -keyout "$ad/server.key" -out "$ad/server.pem"
  chmod 600 "$ad/server.key"
}

# The domain is made once, which takes some seconds. What it says on the way is kept, in case it fails.
new_domain=no
if [ ! -d "$ad/private" ]; then
  new_domain=yes
  mkdir -p "$ad"
  samba-tool domain provision --targetdir="$ad" --realm=EXAMPLE.TEST --domain=EXAMPLE --server-role=dc --dns-backend=NONE \
    --adminpass='Example 1' --host-name=dc1 --host-ip=127.0.0.1 --option='interfaces=lo' --option='bind interfaces only=yes' \
    --option='vfs objects=dfs_samba4 acl_xattr xattr_tdb' >"$here/server/provision.log" 2>&1 ||
    { tail -5 "$here/server/provision.log" >&2; rm -rf "$ad"; exit 1; }
  certificate >>"$here/server/provision.log" 2>&1
  sed "s|FOLDER|$ad|; s|ADDRESS|$address|" "$here/smb.conf" >"$ad/smb.conf"
fi
samba -D -M single -s "$ad/smb.conf"
until ldapsearch -x -H "ldaps://$address" -s base -b '' >/dev/null 2>&1; do sleep 0.1; done
[ "$new_domain" = no ] || ldapadd -x -H "ldaps://$address" -D "$administrator" -w 'Example 1' -f "$here/ad.ldif" >/dev/null
echo "Active Directory answers on ldaps://$address"

for schema in /etc/ldap/schema /etc/openldap/schema; do [ -d "$schema" ] && break; done
for modules in /usr/lib/ldap /usr/lib/openldap /usr/libexec/openldap; do [ -d "$modules" ] && break; done
if [ ! -d "$ldap" ]; then
  mkdir -p "$ldap/data" "$ldap/log"
  sed "s|FOLDER|$ldap|; s|SCHEMA|$schema|; s|MODULES|$modules|" "$here/slapd.conf" >"$ldap/slapd.conf"
  slapadd -q -f "$ldap/slapd.conf" -b dc=example,dc=com -l "$here/ldap.ldif"
fi
slapd -f "$ldap/slapd.conf" -h "ldap://127.0.0.1:$port"
until ldapsearch -x -H "ldap://127.0.0.1:$port" -s base -b '' >/dev/null 2>&1; do sleep 0.1; done
echo "The LDAP directory answers on ldap://127.0.0.1:$port"
