#!/usr/bin/env bash
# Runs every plan of every class of faults, then prints a table: class, plans there are, passed, failed. Hours on two cores.
# FILTER='FullyQualifiedName~Crashes' runs those classes alone; the table keeps the others as they were run last.
set -uo pipefail
cd "$(dirname "$0")/.."
# More worlds at once than in make test, and nodes for their pods: an install tells how many the machine bears.
export FAULTS=all FAULT_PARALLEL=${FAULT_PARALLEL:-24} FAULT_NODES=${FAULT_NODES:-6} FAULT_RUNS=${FAULT_RUNS:-20} MUTANTS=${MUTANTS:-10000} FAULT_TABLE=$PWD/artifacts/faults.tsv
[ "$(id -u)" = 0 ] || { echo "faults: needs root, for a cluster of its own" >&2; exit 1; }
mkdir -p artifacts
[ -n "${FILTER:-}" ] || : >"$FAULT_TABLE"
code=0
tests/run.sh faults || code=1
# As run.sh does: what ships, where it was packed.
shipped=$PWD/artifacts/publish/rag-operator/RagOperator.Operator
if [ -z "${OPERATOR_FILE:-}" ] && [ -x "$shipped" ]; then export OPERATOR_FILE=$shipped; fi
bed=artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed
# Those that need real pods, real Prometheus or the mutants.
"$bed" run -- dotnet test tests/RagOperator.ClusterTests --no-build --nologo -v quiet --logger "console;verbosity=normal" \
  --filter "(FullyQualifiedName~Leadership|FullyQualifiedName~Mutations|FullyQualifiedName~Outages)${FILTER:+&($FILTER)}" || code=1
awk -F '\t' '{ last[$1] = $0 } END { for (class in last) print last[class] }' "$FAULT_TABLE" | sort >"$FAULT_TABLE.new" && mv "$FAULT_TABLE.new" "$FAULT_TABLE"
{
  printf 'class\tplans\tpassed\tfailed\tnote\n'
  cat "$FAULT_TABLE"
  awk -F '\t' '{ plans += $2; passed += $3; failed += $4 } END { printf "all\t%d\t%d\t%d\t\n", plans, passed, failed }' "$FAULT_TABLE"
} | column -t -s $'\t'
exit $code
