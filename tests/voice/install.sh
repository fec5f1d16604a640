#!/usr/bin/env bash
# A real PBX for the tests: Asterisk 22 in a folder of its own (Debian 12 itself has none), and sipp as the telephones.
# Safe to run twice: what is there is kept. Needs root and Debian's package manager; takes about a minute the first time.
set -euo pipefail
root=${HOTLINE_TEST_PBX:-/var/cache/hotline-asterisk}
export DEBIAN_FRONTEND=noninteractive

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "the test PBX needs root and apt-get: tests with real calls are left out" >&2
  exit 3
fi
missing=()
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v sipp >/dev/null || missing+=(sip-tester)
if ((${#missing[@]})); then
  apt-get update -qq
  apt-get install -y -qq "${missing[@]}" >/dev/null
fi
if [[ ! -x $root/usr/sbin/asterisk ]]; then
  mirror=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
  rm -rf "$root"
  echo "installing Asterisk into $root" >&2
  debootstrap --variant=minbase sid "$root" "${mirror:-http://deb.debian.org/debian}" >/dev/null
  chroot "$root" apt-get install -y -qq --no-install-recommends asterisk >/dev/null
fi
chroot "$root" asterisk -V
