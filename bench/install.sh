#!/bin/sh
# Installs what the bench compares with: wrk, nginx and its Lua module. For Debian and Ubuntu, as root.
# Does nothing for what is already there, and leaves no system nginx running.
set -eu

missing=''
command -v wrk >/dev/null || missing="$missing wrk"
command -v nginx >/dev/null || missing="$missing nginx-light"
[ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || missing="$missing libnginx-mod-http-lua lua-resty-core"

if [ -z "$missing" ]; then
  echo 'bench: nothing to install'
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "bench: no apt-get here; install the equivalents of:$missing" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "bench: run as root: apt-get install$missing" >&2
  exit 1
fi

# Debian starts a service as soon as its package is installed; this is its documented way to say no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of package names
apt-get install -y -qq --no-install-recommends $missing
