#!/usr/bin/env bash
# Runs the tests: `run.sh unit` those that need no cluster, `run.sh cluster` those on the real one, `run.sh faults` those that make things fail
# (FAULTS=all: every plan, not a spread of them), `run.sh all` all three. Expects a build.
# Ends with "N passed, N failed, N skipped", summed over all projects.
set -euo pipefail
cd "$(dirname "$0")/.."
results=artifacts/test-results
rm -rf "$results"; mkdir -p "$results"
bed=artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed
# Code of tests runs once: instrumenting it to compile it better later is a quarter of the Api tests' time.
export DOTNET_TieredPGO=0
# What is interrupted ends: the bed and dotnet take a signal for themselves and end well, and bash would go on with the next project.
beside=()
trap 'exit 130' INT
trap 'exit 143' TERM
trap '[ ${#beside[@]} = 0 ] || kill -TERM -- "${beside[@]/#/-}" 2>/dev/null || true' EXIT

# What ships, where it was packed (images.sh): it starts in a fraction of the time.
take_shipped() {
  local shipped=$PWD/artifacts/publish/rag-operator/RagOperator.Operator
  if [ -z "${OPERATOR_FILE:-}" ] && [ -x "$shipped" ]; then export OPERATOR_FILE=$shipped; fi
}

# Runs one project and keeps its exit code beside its results: a host that dies after its last test leaves results that look well.
run() { # run NAME COMMAND...
  local name=$1 code=0 start=$SECONDS; shift
  echo "== $name"
  "$@" || code=$?
  echo "$code" >"$results/$name.exit"
  echo "== $name ended with $code after $((SECONDS - start)) s"
}

names() { basename -s .csproj tests/RagOperator.*.Tests/*.csproj | grep -v TestBed; } # those that need no cluster

unit() { # unit NAME...
  local name
  for name in "$@"; do
    run "$name" dotnet test "tests/$name" --no-build --nologo -v quiet --logger "trx;LogFileName=$name.trx" --results-directory "$results"
  done
}

in_bed() { # in_bed NAME
  local name=$1
  local test=(dotnet test "tests/$name" --no-build --nologo -v quiet
    --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=normal" --results-directory "$results")
  # Without root there is no bed; outside one the tests that need it are skipped by name.
  if [ "$(id -u)" = 0 ]; then run "$name" "$bed" run -- "${test[@]}"; else run "$name" "${test[@]}"; fi
}

cluster() {
  take_shipped
  in_bed RagOperator.TestBed.Tests
  in_bed RagOperator.ClusterTests
}

# Those of the bed and of the client wait most of their time, the others for nobody: side by side. What ran beside is shown at the end.
small() {
  local waiting='Kubernetes|Operator\.Tests' log=$results/beside i
  set -m # a group each, to be ended whole
  unit $(names | grep -E "$waiting") >"$log.1" 2>&1 </dev/null &
  beside+=($!)
  unit $(names | grep -vE "$waiting") >"$log.2" 2>&1 </dev/null &
  beside+=($!)
  set +m
  in_bed RagOperator.TestBed.Tests
  for i in "${!beside[@]}"; do wait "${beside[i]}" || echo $? >"$results/beside-$i.exit"; done # one that died is a failure
  beside=()
  cat "$log".?
}

# Pods that only pretend: what fails here are the operator and its peers, and hundreds of rollouts have to fit in. Several nodes, because
# a hollow one writes five times a second and no more.
faults() {
  local name=RagOperator.FaultTests
  take_shipped
  local test=(dotnet test "tests/$name" --no-build --nologo -v quiet ${FILTER:+--filter "$FILTER"}
    --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=normal" --results-directory "$results")
  if [ "$(id -u)" = 0 ]; then run "$name" "$bed" run --nodes "hollow=${FAULT_NODES:-4}" --prometheus no --gateway no -- "${test[@]}"; else run "$name" "${test[@]}"; fi
}

# A hollow node takes 110 pods; each service has two at most, and one in five four.
soak() {
  take_shipped
  run RagOperator.FaultTests env SOAK_MINUTES="${SOAK_MINUTES:-20}" FAULT_TABLE="${FAULT_TABLE:-$PWD/artifacts/faults.tsv}" "$bed" run --nodes hollow=6 --prometheus no --gateway no -- \
    dotnet test tests/RagOperator.FaultTests --no-build --nologo -v quiet --filter FullyQualifiedName~Soak \
    --logger "trx;LogFileName=RagOperator.FaultTests.trx" --logger "console;verbosity=detailed" --results-directory "$results"
}

case ${1:-all} in
  unit) unit $(names) ;;
  cluster) cluster ;;
  faults) faults ;;
  soak) soak ;;
  all) take_shipped; small; in_bed RagOperator.ClusterTests; faults ;;
  *) echo "usage: run.sh [unit|cluster|faults|soak|all]" >&2; exit 2 ;;
esac
echo "all of it took $SECONDS s"
tests/summarize.sh "$results"
