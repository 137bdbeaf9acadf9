#!/usr/bin/env bash
# Takes each right off the chart's roles in turn and plays the main scenario with what is left: something has to fail each time.
# RBAC_RIGHTS=REGEX: only rights of these names, `rag-operator[4] delete services`. Each is in artifacts/cluster-tests/rights.txt as soon as it is
# known. Expects a build.
set -euo pipefail
cd "$(dirname "$0")/.."
exec artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed run --nodes none --prometheus no --gateway no -- env RBAC_CHECK=1 \
  dotnet test tests/RagOperator.ClusterTests --no-build --nologo -v quiet --filter FullyQualifiedName~RightsCheck --logger "console;verbosity=detailed"
