#!/usr/bin/env bash
# Takes each right off the chart's roles in turn, with Roles and with the ClusterRole and the webhook, and plays the main scenario with what is left:
# the API server has to refuse that right, and somebody has to notice (docs/testing.md).
# RBAC_RIGHTS=REGEX: only rights of these names, `namespaces: Role[4] delete services`. RBAC_PARALLEL=8: worlds at once.
# RBAC_PATIENCE=30: seconds after which what was refused counts as missing; more on a busy machine. Each result is in
# artifacts/cluster-tests/rights.txt as soon as it is known. Expects a build.
set -euo pipefail
cd "$(dirname "$0")/.."
exec artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed run --nodes none --prometheus no --gateway no -- env RBAC_CHECK=1 \
  dotnet test tests/RagOperator.ClusterTests --no-build --nologo -v quiet --filter FullyQualifiedName~RightsCheck --logger "console;verbosity=detailed"
