# shellcheck shell=bash
# Functions that the scripts of deploy/ share. Source it; it runs nothing by itself.
#
# Environment: CLM_DEPS_DIR    cache that every clone of this user shares (default ~/.cache/clm)
#              CLM_JOBS        compile and test jobs at a time (default: what processors and memory allow)
#              CLM_ANY_DISTRO  1: skip the check for Debian 12 on x86-64

repo_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps_dir=${CLM_DEPS_DIR:-$HOME/.cache/clm}
libtorch_version=2.11.0
# shellcheck disable=SC2034  # read by deploy/setup
libtorch_dir=$deps_dir/libtorch-$libtorch_version

# say TEXT...: one line of progress, with the seconds since the script started.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }

# die TEXT...: one line that says what is wrong and what helps, then status 1.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# need_root_or_sudo WHAT: afterwards `as_root command...` runs a command as root.
need_root_or_sudo() {
  if ((EUID == 0)); then
    as_root() { "$@"; }
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
    as_root() { sudo -- "$@"; }
  else
    die "$1 needs root: run this as root, or install sudo and allow it for user $(id -un)"
  fi
}

# require_debian: only Debian 12 on x86-64 is supported; CLM_ANY_DISTRO=1 goes on regardless.
require_debian() {
  [[ ${CLM_ANY_DISTRO:-0} == 1 ]] && return
  local id='' version='' machine
  if [[ -r /etc/os-release ]]; then
    id=$(. /etc/os-release && echo "${ID:-}")
    version=$(. /etc/os-release && echo "${VERSION_ID:-}")
  fi
  machine=$(uname -m)
  [[ $id == debian && $version == 12 && $machine == x86_64 ]] ||
    die "needs Debian 12 on x86_64, this is ${id:-unknown} ${version:-} on $machine (CLM_ANY_DISTRO=1 tries anyway)"
}

# require_disk FOLDER MIB WHAT: FOLDER (or its nearest existing parent) must have MIB free.
require_disk() {
  local folder=$1 free
  while [[ ! -d $folder ]]; do folder=$(dirname "$folder"); done
  free=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
  ((free >= $2)) || die "$3 needs $2 MiB free in $folder, which has $free MiB"
}

# why LOG: one line on why a download or an installation failed, from what apt-get or pip said.
why() {
  local offline='Temporary failure|Could not (resolve|connect)|unreachable|Connection (refused|timed out)|NewConnectionError'
  if grep -qE "$offline" "$1"; then
    echo "this machine is offline or cannot reach its package source"
  else
    grep -m 1 -E '^ *(E: |ERROR)' "$1" || tail -n 1 "$1"
  fi
}

# with_lock NAME COMMAND...: one process at a time runs COMMAND; a second one says that it waits.
with_lock() {
  local name=$1 descriptor
  shift
  mkdir -p "$deps_dir" 2>/dev/null || die "cannot create $deps_dir (CLM_DEPS_DIR chooses another folder)"
  exec {descriptor}>"$deps_dir/$name.lock" || die "cannot write $deps_dir/$name.lock"
  if ! flock -n "$descriptor"; then
    say "another run holds $deps_dir/$name.lock; waiting for it"
    flock "$descriptor"
  fi
  "$@"  # its children keep the lock too, should this script be killed
  exec {descriptor}>&-
}

# build_jobs: how many compilers fit; a source that includes LibTorch or gRPC takes up to 2 GiB.
build_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 2097152)}' /proc/meminfo)
  ((memory < processors)) && processors=$memory
  ((processors < 1)) && processors=1
  echo "${CLM_JOBS:-$processors}"
}

# build PRESET [TARGET...]: configures and builds (everything when no target is named), and says how long it took.
# The compilers' output also goes to build/PRESET/build.log.
build() {
  local preset=$1 start=$SECONDS log
  local folder=$repo_root/build/$preset
  shift
  log=$folder/build.log
  mkdir -p "$folder"
  say "configuring preset $preset"
  (cd "$repo_root" && cmake --preset "$preset") >"$folder/configure.log" 2>&1 || {
    tail -n 30 "$folder/configure.log" >&2
    die "cmake --preset $preset failed; everything it said is in $folder/configure.log"
  }
  say "building preset $preset, $(build_jobs) jobs at a time"
  NINJA_STATUS='[%f/%t] ' ninja -C "$folder" -j "$(build_jobs)" "$@" 2>&1 | tee "$log" | build_progress ||
    die "the build failed; everything it said is in $log"
  say "built preset $preset in $((SECONDS - start)) s"
}

# build_progress: of ninja's "[done/all] step" lines, shows the first and then one in 20 s; lets the rest (warnings,
# errors) through.
build_progress() {
  local line next=$SECONDS
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
      ((SECONDS >= next)) || continue
      say "  ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} steps"
      next=$((SECONDS + 20))
    elif [[ $line != "ninja: Entering directory"* ]]; then
      printf '%s\n' "$line"
    fi
  done
}

# fetch_deb_files PACKAGE FOLDER PATH...: takes single files (absolute paths) out of a Debian package, without
# installing it and whatever services it brings, and puts them flat into FOLDER. Does nothing when they are there.
fetch_deb_files() {
  local package=$1 folder=$2 path complete=1 work
  shift 2
  for path in "$@"; do [[ -e $folder/${path##*/} ]] || complete=0; done
  ((complete)) && return
  say "fetching ${*##*/} from Debian's package $package"
  mkdir -p "$deps_dir"
  work=$(mktemp -d "$deps_dir/.fetch-XXXXXX")
  if ! fetch_deb_files_into "$package" "$work" "$@"; then
    local reason
    reason=$(why "$work/log")
    rm -rf "$work"
    die "cannot fetch Debian's package $package: $reason"
  fi
  rm -rf "$folder"
  mv "$work/take" "$folder"
  rm -rf "$work"
}

# The part of fetch_deb_files that may fail; says why in WORK/log.
fetch_deb_files_into() {
  local package=$1 work=$2 path
  shift 2
  mkdir "$work/take"
  (
    cd "$work" || exit
    apt-get -q download "$package" && exit
    need_root_or_sudo "apt-get update"
    as_root apt-get -q --error-on=any update && apt-get -q download "$package"
  ) >"$work/log" 2>&1 || return
  dpkg-deb -x "$work/$package"_*.deb "$work/root" >>"$work/log" 2>&1 || return
  for path in "$@"; do
    mv "$work/root$path" "$work/take/" >>"$work/log" 2>&1 || return
  done
}

# fetch_text: the Free On-line Dictionary of Computing (5.6 MB of prose, GFDL) as a dictd database in $text_dir.
# shellcheck disable=SC2034  # read by deploy/quickstart
text_dir=$deps_dir/foldoc
fetch_text() {
  fetch_deb_files dict-foldoc "$text_dir" /usr/share/dictd/foldoc.dict.dz /usr/share/dictd/foldoc.index \
    /usr/share/doc/dict-foldoc/copyright
}

# fetch_promtool: the checker of Prometheus configurations and metrics as $promtool_dir/promtool.
promtool_dir=$deps_dir/promtool
fetch_promtool() { fetch_deb_files prometheus "$promtool_dir" /usr/bin/promtool; }
