# shellcheck shell=bash
# What the examples share: steps that are done once, timed and noted, all through a user's commands.
# To be sourced by a script that has set `here` (its own folder), `out` (the ecosystem's), and -euo
# pipefail.

root=$(dirname "$(dirname "$here")")
results=$out/results
mkdir -p "$results/done"

say() { printf '\n%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
cambium() { "$root/cambium" "$@"; }
in_fleet() { cambium "$@" --dir "$out"; }

# Does one step unless it is done, and notes how long it took and how it ended. A gate that rejects
# (3) or cannot decide (4) is a result, not a failure.
step() {
  local name=$1 title=$2 began ended code=0
  shift 2
  [ ! -e "$results/done/$name" ] || return 0
  say "$title"
  began=$(date +%s.%N)
  "$@" >"$results/$name.new" || code=$?
  ended=$(date +%s.%N)
  case $code in
    0 | 3 | 4) ;;
    *)
      echo "run: '$title' failed with exit code $code; what it said is in $results/$name.new" >&2
      exit "$code"
      ;;
  esac
  mv "$results/$name.new" "$results/$name.json"
  printf '%s\t%s\t%s\t%s\n' "$name" "$title" \
    "$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.1f", b - a }')" "$code" >>"$results/steps.tsv"
  touch "$results/done/$name"
}

# What is in the ledger already is not done again, also if the script was killed between a command
# and its note.
recorded() { in_fleet log --json --from 0 --limit 1000000 | grep -F "$1" >/dev/null; }
once() { # REMARK COMMAND...
  local remark=$1
  shift
  recorded "\"note\" : \"$remark\"" && echo '{}' || in_fleet "$@" --note "$remark" --json
}

init() { [ -e "$out/.cambium" ] && echo '{}' || cambium init "$out" --json; }
# Without a released foundation there is nothing to build on, so here a gate's no is a failure.
promote() { # LINE@N
  in_fleet show "$1" --json | grep -F '"stable"' >/dev/null && echo '{}' ||
    in_fleet release promote "$1" --channel stable --json || return 1
}
pretrain() { # TEXT VERSION OPTION...
  local model=$out/models/base-$2
  mkdir -p "$out/models"
  [ -e "$model" ] && echo '{}' || cambium pretrain "$out/text/$1" "$model" "${@:3}" --json
}
signal_data() { once "$2" signal data "$1" --line "$3" --allow-overlap; }
campaign() { in_fleet run --yes --json; }

plan_and_signals() { # WAVE FOLDER LINE...
  local wave=$1 folder=$2 line
  shift 2
  for line in "$@"; do
    step "$wave-signal-$line" "$wave: new data for $line" \
      signal_data "$folder/$line.jsonl" "$wave: $line" "$line"
  done
  step "$wave-plan" "$wave: plan" in_fleet plan --json
}

upgrade() { # VERSION
  once "foundation $1 arrived" signal upstream "$1"
}

# A line whose founding was not released has nothing to measure.
measure() {
  local code=0
  in_fleet eval "$1" --json 2>"$results/eval.log" || code=$?
  if [ $code = 2 ] && grep -E 'nothing on channel|no version of' "$results/eval.log" >&2; then
    echo '[]'
  elif [ $code != 0 ]; then
    cat "$results/eval.log" >&2
    return $code
  fi
}

evaluate() { # STAGE LINE...
  local stage=$1 line
  shift
  for line in "$@"; do
    step "eval-$stage-$line" "$stage: measure $line" measure "$line"
  done
}

new_suites() { # REASON
  cp "$out"/wave-1/suites/*.jsonl "$out/suites/" && in_fleet suite approve --all --reason "$1" --json
}

# Runs one of the programs beside the script, compiled against what Cambium itself uses.
java_program() { # CLASS ARGUMENT...
  local home=${JAVA_HOME:+$JAVA_HOME/bin/} classes=$out/classes libraries
  libraries=$(<"$root/target/launcher/classpath")
  "${home}javac" -nowarn -d "$classes" -cp "$libraries" "$root"/examples/common/*.java "$here"/*.java
  "${home}java" -cp "$classes:$libraries" "$@"
}

cambium --version >&2 # builds it, if it has to
