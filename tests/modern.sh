#!/usr/bin/env bash
# The CRD on a modern API server. Debian's newest apiextensions-apiserver is built once, in a Debian sid of its own (root; about 10 minutes, 1 GB
# while it lasts), and kept in the user's cache. It runs beside an etcd, with no other API server: a certificate of system:masters may do everything.
# APIEXTENSIONS_SERVER names a server's program to take instead, of whatever version. Expects a build, and etcd (make setup).
set -euo pipefail
cd "$(dirname "$0")/.."
readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rag-operator/apiextensions-sid
readonly SERVER=${APIEXTENSIONS_SERVER:-$CACHE/apiextensions-apiserver}
readonly PORT=${MODERN_PORT:-26543} ETCD=${MODERN_ETCD_PORT:-26479}

say() { printf 'modern: %s\n' "$*"; }
fail() { printf 'modern: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d); pids=()
finish() {
  [ ${#pids[@]} = 0 ] || { kill "${pids[@]}" 2>/dev/null; wait "${pids[@]}" 2>/dev/null; } || true
  if mountpoint -q "$work/sid/proc" 2>/dev/null; then umount "$work/sid/proc"; fi
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build() {
  local site root=$work/sid
  [ "$(id -u)" = 0 ] || fail "building the server needs root (or name one in APIEXTENSIONS_SERVER)"
  command -v debootstrap >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap; } >"$work/log" 2>&1 || fail "debootstrap cannot be installed: $(tail -n 3 "$work/log")"
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sed -n '/security/!{p;q}' || true)
  say "building the server from Debian sid's packages: about 10 minutes, once ($CACHE)"
  debootstrap --variant=minbase --include=ca-certificates sid "$root" ${site:+"$site"} >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "debootstrap failed"; }
  mount -t proc proc "$root/proc"
  # What counts is whether the packages can be installed: debootstrap left lists.
  chroot "$root" sh -ec 'apt-get update -q || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends golang-go golang-k8s-apiextensions-apiserver-dev
    mkdir -p /root/go/src/server; cd /root/go/src/server
    cp /usr/share/gocode/src/k8s.io/apiextensions-apiserver/main.go .
    GOPATH=/root/go:/usr/share/gocode GO111MODULE=off CGO_ENABLED=0 go build -o /root/server .' >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "building the server failed"; }
  mkdir -p "$CACHE"
  mv "$root/root/server" "$CACHE/apiextensions-apiserver"
  say "server built in $SECONDS s"
}

certificate() { # certificate NAME SUBJECT [ALTERNATIVE_NAME]
  openssl req -newkey rsa:2048 -nodes -subj "$2" ${3:+-addext "subjectAltName=$3"} -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out "$1.crt"
}

start() {
  local i
  cd "$work"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt
  certificate admin "/O=system:masters/CN=admin"
  certificate server /CN=server IP:127.0.0.1
  # It asks for a cluster's configuration and needs nothing of it.
  printf '%s\n' 'apiVersion: v1' 'kind: Config' 'clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]' 'users: [{name: none, user: {}}]' \
    'contexts: [{name: none, context: {cluster: none, user: none}}]' 'current-context: none' >kubeconfig
  etcd --data-dir etcd --listen-client-urls "http://127.0.0.1:$ETCD" --advertise-client-urls "http://127.0.0.1:$ETCD" --listen-peer-urls "http://127.0.0.1:$((ETCD + 1))" \
    --initial-advertise-peer-urls "http://127.0.0.1:$((ETCD + 1))" --initial-cluster "default=http://127.0.0.1:$((ETCD + 1))" >etcd.log 2>&1 &
  pids+=($!)
  "$SERVER" --etcd-servers="http://127.0.0.1:$ETCD" --secure-port="$PORT" --bind-address=127.0.0.1 --tls-cert-file=server.crt --tls-private-key-file=server.key --client-ca-file=ca.crt \
    --kubeconfig=kubeconfig --authentication-kubeconfig=kubeconfig --authentication-skip-lookup --authorization-kubeconfig=kubeconfig --enable-priority-and-fairness=false \
    --disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy,NamespaceLifecycle,MutatingAdmissionWebhook,ValidatingAdmissionWebhook >server.log 2>&1 &
  pids+=($!)
  cd - >/dev/null
  for ((i = 0; i < 120; i++)); do
    kill -0 "${pids[1]}" 2>/dev/null || break
    if curl -sf --cacert "$work/ca.crt" --cert "$work/admin.crt" --key "$work/admin.key" -o /dev/null "https://127.0.0.1:$PORT/apis/apiextensions.k8s.io/v1/customresourcedefinitions"; then return; fi
    sleep 0.5
  done
  tail -n 20 "$work/server.log" >&2
  fail "the server did not start (above: the end of its log)"
}

command -v etcd >/dev/null || fail "etcd is missing: make setup"
[ -x "$SERVER" ] || build
start 2>"$work/start.log" || { cat "$work/start.log" >&2; exit 1; }
MODERN_SERVER=https://127.0.0.1:$PORT MODERN_KEYS=$work dotnet test tests/RagOperator.ModernTests --no-build --nologo -v quiet --logger "console;verbosity=minimal"
