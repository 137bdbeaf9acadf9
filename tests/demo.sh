#!/usr/bin/env bash
# The demo with its own set-up: on a cluster of its own, or, with CLUSTER=current, on that of the current kubeconfig.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
readonly bin=$PWD/artifacts/bin
readonly bed=$bin/RagOperator.TestBed/debug/RagOperator.TestBed demo=$bin/RagOperator.Demo/debug/RagOperator.Demo

case ${CLUSTER:-} in
  '') tests/TestBed/setup.sh ;;
  current) ;;
  *) echo "CLUSTER is '$CLUSTER': leave it away for a cluster of the demo's own, or set it to current" >&2; exit 64 ;;
esac

start=$SECONDS
echo "set-up: building operator and demo (a minute or two the first time)"
log=$(dotnet build tests/RagOperator.Demo -v quiet --nologo 2>&1) || { echo "$log" >&2; exit 1; }
echo "set-up: built in $((SECONDS - start)) s"

if [ "${CLUSTER:-}" = current ]; then exec "$demo"; fi
echo "set-up: packing the sample service's image (a minute the first time)"
"$bed" images
echo "set-up: starting a cluster in namespaces of its own (about 20 s)"
exec "$bed" run --nodes real --images artifacts/images -- "$demo"
