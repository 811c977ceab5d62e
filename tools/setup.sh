#!/bin/sh
# Makes a virtual environment with the locked dependencies and farshore on its path.
#
# Plain pip and venv are enough; uv is used when it is there, because it is quicker. farshore itself goes in by a
# .pth file and a three-line script instead of an editable install: no build step, nothing downloaded for one.
set -eu
venv=$1
here=$(cd "$(dirname "$0")/.." && pwd)

python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "farshore needs Python 3.11 or newer with venv and ensurepip." >&2
    echo "On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

"$python" -m venv "$venv"
if command -v uv >/dev/null 2>&1; then
    UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never \
        uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$here/requirements.lock"
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.lock"
fi

site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$here/src" >"$site/farshore.pth"
cat >"$venv/bin/farshore" <<SCRIPT
#!$(cd "$venv/bin" && pwd)/python
from farshore.cli.__main__ import main

main()
SCRIPT
chmod +x "$venv/bin/farshore"
