#!/usr/bin/env bash
# Packs the images that pods of the test bed run (the sample RAG service, and the operator itself) into artifacts/images, each only if it is
# older than its sources. Expects a build.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec artifacts/bin/RagOperator.TestBed/debug/RagOperator.TestBed images --operator
