#!/usr/bin/env bash
# Adds up what run.sh left in a folder: for each project NAME.trx and NAME.exit (its exit code). "N passed, N failed, N skipped" is the last
# line. Fails if a test failed, if none ran, or if a project's run died: what it did not get to cannot have passed.
set -euo pipefail
dir=${1:?folder with .trx and .exit files}
passed=0 failed=0 skipped=0

counter() { # counter FILE NAME: one number of the file's summary
  { grep -o '<Counters [^>]*>' "$1" || true; } | { grep -o " $2=\"[0-9]*\"" || true; } | tr -dc '0-9'
}

for exit in "$dir"/*.exit; do
  [ -e "$exit" ] || continue
  name=$(basename "$exit" .exit) code=$(<"$exit") trx=${exit%.exit}.trx
  total=0 executed=0 good=0
  if [ -e "$trx" ]; then total=$(counter "$trx" total) executed=$(counter "$trx" executed) good=$(counter "$trx" passed); fi
  total=${total:-0} executed=${executed:-0} good=${good:-0}
  bad=$((executed - good))
  if [ "$total" -eq 0 ] || { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
    echo "$name: its run died (exit code $code, $total tests)"
    bad=$((bad + 1))
  fi
  # The names of what failed, so that the end of the output tells them.
  if [ "$bad" -gt 0 ] && [ -e "$trx" ]; then
    { grep -o '<UnitTestResult [^>]*outcome="Failed"' "$trx" || true; } | sed -E 's/.*testName="([^"]*)".*/failed: \1/; s/&quot;/"/g'
  fi
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + total - executed))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
