#!/usr/bin/env bash
# Sets a Debian machine up for the test bed, once: the packages it lacks, and Kubernetes' binaries, built from Debian's own source package
# (Debian ships only kubectl of it) and kept in the user's cache. Run again it finds all there and ends at once.
#
# With it comes the program that renders the chart for the tests (tests/HelmRender), built of Debian's Go libraries.
#
#   setup.sh             set up what is missing, say what was done and how long each part took
#   setup.sh --check     say what is missing, change nothing; exit 1 if anything is
#
# What is there is used first: KUBEBUILDER_ASSETS (a folder with kube-apiserver, etcd, kubectl) stands in for the build of those it has.
set -euo pipefail

readonly VERSION=1.20.2
readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rag-operator/kubernetes-$VERSION
readonly RECIPE=3 # raised when the build changes, so that what an earlier one built is built again
readonly BINARIES=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubemark kubectl)
# command:package; the packages for building are asked for only when there is something to build
readonly RUNTIME=(etcd:etcd-server containerd:containerd runc:runc iptables:iptables conntrack:conntrack ip:iproute2 dnsmasq:dnsmasq-base
  prometheus:prometheus nginx:nginx-light lua5.1:lua5.1 lua5.4:lua5.4 tini:tini unshare:util-linux setpriv:util-linux sysctl:procps)
readonly BUILD=(go:golang-go rsync:rsync jq:jq make:make gcc:gcc dpkg-source:dpkg-dev curl:curl)
readonly FILES=(/usr/lib/cni/bridge:containernetworking-plugins)
readonly BUILD_FILES=(/usr/include/stdio.h:libc6-dev)
readonly RENDER=${XDG_CACHE_HOME:-$HOME/.cache}/rag-operator/helm-render
readonly RENDER_SOURCE=$(dirname "$0")/../HelmRender
readonly GO_LIBRARIES=/usr/share/gocode/src
readonly RENDER_FILES=("$GO_LIBRARIES/github.com/Masterminds/sprig:golang-github-masterminds-sprig-dev" "$GO_LIBRARIES/sigs.k8s.io/yaml:golang-k8s-sigs-yaml-dev"
  "$GO_LIBRARIES/github.com/xeipuuv/gojsonschema:golang-github-xeipuuv-gojsonschema-dev")

export PATH=$PATH:/usr/sbin:/sbin
say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }
took() { printf '%d s' $((SECONDS - $1)); }

missing_binaries() {
  local name
  for name in "${BINARIES[@]}"; do
    [ -x "$CACHE/$name" ] && [ -e "$CACHE/recipe-$RECIPE" ] || [ -x "${KUBEBUILDER_ASSETS:-/nonexistent}/$name" ] || echo "$name"
  done
}

# Built again when its source is another one.
render_sum() { cat "$RENDER_SOURCE"/*.go | sha256sum; }
has_render() { [ -x "$RENDER/helm-render" ] && [ "$(cat "$RENDER/sum" 2>/dev/null)" = "$(render_sum)" ]; }

missing_packages() { # missing_packages with-build|no-build
  local entry
  local commands=("${RUNTIME[@]}") files=("${FILES[@]}")
  if [ "$1" = with-build ]; then commands+=("${BUILD[@]}"); files+=("${BUILD_FILES[@]}"); fi
  if ! has_render; then commands+=(go:golang-go); files+=("${RENDER_FILES[@]}"); fi
  for entry in "${commands[@]}"; do command -v "${entry%%:*}" >/dev/null || echo "${entry#*:}"; done
  for entry in "${files[@]}"; do [ -e "${entry%%:*}" ] || echo "${entry#*:}"; done
}

install() {
  local start=$SECONDS policy=/usr/sbin/policy-rc.d own_policy= log
  [ "$(id -u)" = 0 ] || fail "these packages are missing and installing them needs root: $*"
  command -v apt-get >/dev/null || fail "these packages are missing and this is no Debian: $*"
  say "installing $# Debian packages ($*)"
  log=$(mktemp)
  # A package that brings a service would start it: not here, the bed starts its own. 101 = "forbidden", as invoke-rc.d reads it.
  if [ ! -e "$policy" ]; then
    own_policy=1
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # An unreachable third-party source must not stop this: what counts is whether the packages can be installed.
  apt-get update -q >"$log" 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "apt-get install failed (above: the end of its output)"; }
  if [ -n "$own_policy" ]; then rm -f "$policy"; trap - EXIT; fi
  rm -f "$log"
  say "packages installed in $(took "$start")"
}

build() {
  local start=$SECONDS work site log
  say "building Kubernetes $VERSION from Debian's source package: about 4 minutes on 2 cores, once ($CACHE)"
  mkdir -p "$CACHE"
  work=$(mktemp -d); log=$work/log
  # shellcheck disable=SC2064  # the folder's name is to be fixed now
  trap "rm -rf '$work'" EXIT
  # A private apt configuration with the machine's own mirror, so that the machine's source lists stay as they are.
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,state}
  mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' 2>/dev/null | sed -n '/security/!{p;q}'; }
  site=$(mirror || true)
  [ -n "$site" ] || { apt-get update -q >/dev/null 2>&1 || true; site=$(mirror || true); } # its lists may have been cleaned away
  [ -n "$site" ] || fail "no Debian bookworm among this machine's apt sources : nothing to take the source package from"
  echo "deb-src $site bookworm main" >"$work/apt/sources.list"
  {
    printf 'Dir::State "%s/apt/state";\nDir::State::Lists "%s/apt/lists";\nDir::State::status "/var/lib/dpkg/status";\n' "$work" "$work"
    printf 'Dir::Cache "%s/apt/cache";\nDir::Etc::SourceList "%s/apt/sources.list";\nDir::Etc::SourceParts "/dev/null";\nAPT::Sandbox::User "root";\n' "$work" "$work"
  } >"$work/apt/apt.conf"
  (
    cd "$work"
    export APT_CONFIG=$work/apt/apt.conf
    apt-get update -q && apt-get source -q --download-only kubernetes && tar xzf kubernetes_*.orig.tar.gz
  ) >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "could not get the source package (above: the end of the output)"; }
  say "source package fetched and unpacked in $(took "$start")"
  (
    cd "$work"/kubernetes-1.*/
    # reflect.mapiterinit got one more argument in Go 1.18, newer than this source. Its reflect2 calls it in the old way, and an API server
    # built so dies (SIGSEGV) of the first custom resource. The same change as in reflect2 1.0.2.
    sed -i 's/^func mapiterinit(.*/func mapiterinit(rtype unsafe.Pointer, m unsafe.Pointer, it *hiter)/
      s|// rest fields are ignored|t, h, buckets, bptr unsafe.Pointer; overflow, oldoverflow *[]unsafe.Pointer; startBucket uintptr; offset uint8; wrapped bool; b, i uint8; bucket, checkBucket uintptr|' \
      vendor/github.com/modern-go/reflect2/unsafe_link.go
    sed -i 's/^\treturn &UnsafeMapIterator{/\tvar it hiter\n\tmapiterinit(type2.rtype, *(*unsafe.Pointer)(obj), \&it)\n&/
      s/mapiterinit(type2.rtype, \*(\*unsafe.Pointer)(obj)),/\&it,/' vendor/github.com/modern-go/reflect2/unsafe_map.go
    # A hollow kubelet notes each file that it pretends to write, in a map without a lock, for nobody: with many pods that ends it. And all of a machine
    # have one runtime's socket: the second one's pods are killed by the first, which does not know them.
    sed -i '/f\.Files\[path\] = /d; /f\.Removes = append/d' pkg/kubelet/container/testing/os.go
    sed -i 's|^const (|import (\n\t"fmt"\n\t"os"\n)\n\n&|; s|/tmp/kubelet_remote.sock|%s/kubelet_remote_%d.sock|
      s|return defaultUnixEndpoint, nil|return fmt.Sprintf(defaultUnixEndpoint, os.TempDir(), os.Getpid()), nil|' pkg/kubelet/cri/remote/fake/endpoint.go
    mkdir -p .go/src/k8s.io
    ln -sfn ../../.. .go/src/k8s.io/kubernetes
    env GOPATH="$PWD/.go" CGO_ENABLED=0 GOFLAGS= make WHAT="${BINARIES[*]/#/cmd/}"
  ) >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "building Kubernetes failed (above: the end of the output)"; }
  strip "$work"/kubernetes-1.*/_output/local/bin/linux/*/kube*
  cp --remove-destination "$work"/kubernetes-1.*/_output/local/bin/linux/*/kube* "$CACHE/"
  touch "$CACHE/recipe-$RECIPE"
  rm -rf "$work"
  trap - EXIT
  say "Kubernetes built in $(took "$start")"
}

pause() { # what holds a pod's namespaces; static, as its image has nothing else
  mkdir -p "$CACHE"
  printf '%s\n' '#include <signal.h>' '#include <sys/wait.h>' '#include <unistd.h>' \
    'static void reap(int s){(void)s;while(waitpid(-1,0,WNOHANG)>0);}' 'static void stop(int s){(void)s;_exit(0);}' \
    'int main(void){signal(SIGCHLD,reap);signal(SIGTERM,stop);signal(SIGINT,stop);for(;;)pause();}' | gcc -static -O2 -x c -o "$CACHE/pause" -
}

render() {
  local start=$SECONDS out
  mkdir -p "$RENDER"
  out=$(cd "$RENDER_SOURCE" && env GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS= CGO_ENABLED=0 go build -o "$RENDER/helm-render.new" . 2>&1) || fail "building the chart's renderer failed: $out"
  mv "$RENDER/helm-render.new" "$RENDER/helm-render"
  render_sum >"$RENDER/sum"
  say "the chart's renderer built in $(took "$start")"
}

mode=no-build
if [ -n "$(missing_binaries)" ] || [ ! -x "$CACHE/pause" ]; then mode=with-build; fi
mapfile -t packages < <(missing_packages "$mode" | sort -u)

if [ "${1:-}" = --check ]; then
  [ ${#packages[@]} = 0 ] || say "missing packages: ${packages[*]}"
  [ "$mode" = no-build ] || say "missing binaries: $(missing_binaries | tr '\n' ' ')"
  has_render || say "missing: the chart's renderer"
  [ ${#packages[@]} = 0 ] && [ "$mode" = no-build ] && has_render
  exit
fi

mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock 9 # two set-ups at once install and build once
if [ ${#packages[@]} -gt 0 ]; then install "${packages[@]}"; fi
if [ -n "$(missing_binaries)" ]; then build; fi
[ -x "$CACHE/pause" ] || pause
has_render || render
say "ready ($SECONDS s)"
