#!/usr/bin/env bash
# Adds up what run.sh left in a folder: for each project NAME.trx and NAME.exit (its exit code). "N passed, N failed, N skipped" is the last
# line. Fails if a test failed, if none ran, or if a project's run died: what it did not get to cannot have passed.
set -euo pipefail
dir=${1:?folder with .trx and .exit files}
passed=0 failed=0 skipped=0

counter() { # counter FILE NAME: one number of the file's summary
  { grep -o '<Counters [^>]*>' "$1" || true; } | { grep -o " $2=\"[0-9]*\"" || true; } | tr -dc '0-9'
}

# Of each test that failed its name and the first lines of its message, which may be long.
failures() { # failures FILE
  awk '
    function tell(text) {
      if (++lines > 24) return
      gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&#xD;/, "", text); gsub(/&amp;/, "\\&", text)
      print "    " substr(text, 1, 400)
    }
    /<UnitTestResult [^>]*outcome="Failed"/ {
      name = $0; sub(/.* testName="/, "", name); sub(/".*/, "", name); gsub(/&quot;/, "\"", name)
      print "failed: " name
      failed = 1; lines = 0
    }
    failed && /<Message>/ { sub(/.*<Message>/, ""); inside = 1 }
    inside {
      last = sub(/<\/Message>.*/, "")
      tell($0)
      if (last) inside = failed = 0
    }
    /<\/UnitTestResult>/ { inside = failed = 0 }
  ' "$1"
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
  # What failed and how, so that the end of the output tells it.
  if [ "$bad" -gt 0 ] && [ -e "$trx" ]; then failures "$trx"; fi
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + total - executed))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
