#!/usr/bin/env bash
# Runs every plan of every class of faults, then prints a table: class, plans there are, passed, failed. Hours on two cores.
set -uo pipefail
cd "$(dirname "$0")/.."
export FAULTS=all FAULT_RUNS=${FAULT_RUNS:-20} MUTANTS=${MUTANTS:-10000} FAULT_TABLE=$PWD/artifacts/faults.tsv
[ "$(id -u)" = 0 ] || { echo "faults: needs root, for a cluster of its own" >&2; exit 1; }
mkdir -p artifacts
: >"$FAULT_TABLE"
code=0
tests/run.sh faults || code=1
bed=artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed
# Those that need real pods, real Prometheus or the mutants.
"$bed" run -- dotnet test tests/RagOperator.ClusterTests --no-build --nologo -v quiet --logger "console;verbosity=normal" \
  --filter 'FullyQualifiedName~Leadership|FullyQualifiedName~Mutations|FullyQualifiedName~Outages' || code=1
{
  printf 'class\tplans\tpassed\tfailed\tnote\n'
  sort "$FAULT_TABLE"
  awk -F '\t' '{ plans += $2; passed += $3; failed += $4 } END { printf "all\t%d\t%d\t%d\t\n", plans, passed, failed }' "$FAULT_TABLE"
} | column -t -s $'\t'
exit $code
