#!/bin/sh
# Installs flexllm: downloads the binary of a release, verifies its checksum, and only then installs it.
#
#   sh install.sh            the latest release
#   sh install.sh 0.2.0      a specific release
#
# FLEXLLM_INSTALL        the directory to install to; default ~/.local/bin
# FLEXLLM_RELEASES_URL   a mirror of the releases, with GitHub's URL layout; default GitHub
set -eu

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '%s\n' "$line" >&2; done
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# The platform, as in the file names of a release.
platform() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "there is no binary for $system" "On Windows, use install.ps1." ;;
  esac
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no binary for $machine processors" ;;
  esac
  # A shell running under Rosetta reports the emulated processor.
  if [ "$system-$machine" = macos-x64 ] &&
    [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then
    machine=arm64
  fi
  echo "$system-$machine"
}

# download URL FILE
download() {
  case $1 in
    # Not even a redirect may lead to an unencrypted connection.
    https:*) only='=https' ;;
    *) only='=http,https' ;;
  esac
  if has curl; then
    curl -fsSL --proto "$only" --proto-redir "$only" --connect-timeout 30 -o "$2" "$1"
  elif has wget; then
    wget -q -t 2 -T 30 -O "$2" "$1"
  else
    fail "neither curl nor wget is installed"
  fi
}

checksum() {
  if has sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
  else
    fail "cannot compute SHA-256: install sha256sum, shasum or openssl"
  fi
}

# expected FILE: the checksum of a file of the release
expected() {
  awk -v file="$1" '$2 == file || $2 == "*" file { print $1; exit }' "$temporary/SHA256SUMS"
}

# Called on the last line, so that a truncated script does nothing.
main() {
  version=${1:-latest}
  case $version in
    latest) ;;
    v[0-9]*) version=${version#v} ;;
    [0-9]*) ;;
    *) fail "expected a version such as 0.2.0, got \"$version\"" ;;
  esac
  case $version in
    *[!0-9A-Za-z.+-]*) fail "expected a version such as 0.2.0, got \"$version\"" ;;
  esac
  releases=${FLEXLLM_RELEASES_URL:-https://github.com/flexllm/flexllm/releases}
  if [ "$version" = latest ]; then
    source=${releases%/}/latest/download
  else
    source=${releases%/}/download/v$version
  fi
  folder=${FLEXLLM_INSTALL:-${HOME:?is not set; set FLEXLLM_INSTALL to a directory}/.local/bin}
  file=flexllm-$(platform)

  mkdir -p "$folder" || fail "cannot create the directory $folder"
  # In the same directory, so that the final move is atomic.
  temporary=$(mktemp -d "$folder/.flexllm.XXXXXX") || fail "cannot write to the directory $folder"
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  download "$source/SHA256SUMS" "$temporary/SHA256SUMS" ||
    fail "cannot download $source/SHA256SUMS" "Check that the release $version exists, and your network connection."
  # Half the size, if the release has it.
  if has gzip && [ -n "$(expected "$file.gz")" ]; then file=$file.gz; fi
  expected=$(expected "$file")
  [ "${#expected}" = 64 ] || fail "the release has no checksum for $file" "Nothing was installed."
  download "$source/$file" "$temporary/$file" ||
    fail "cannot download $source/$file" "Nothing was installed."
  actual=$(checksum "$temporary/$file")
  [ "$actual" = "$expected" ] || fail "the checksum of $file is wrong" \
    "expected $expected" "got      $actual" "Nothing was installed. Try again, and report it if it happens again."

  case $file in
    *.gz) gzip -dc "$temporary/$file" >"$temporary/flexllm" || fail "cannot decompress $file" ;;
    *) mv "$temporary/$file" "$temporary/flexllm" ;;
  esac
  chmod 755 "$temporary/flexllm"
  version_line=$("$temporary/flexllm" version 2>&1) ||
    fail "the binary does not run on this system: $version_line" "Nothing was installed."
  mv -f "$temporary/flexllm" "$folder/flexllm" || fail "cannot write $folder/flexllm"

  echo "Installed $version_line as $folder/flexllm"
  case :$PATH: in
    *":$folder:"*) ;;
    *) echo "$folder is not on your PATH: export PATH=\"$folder:\$PATH\"" ;;
  esac
}

main "$@"
