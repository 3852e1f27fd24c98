# Sourced by ./start, ./test and ./bench: puts a Python of 3.11 or later into $python, or says what is missing.
python=
newest=
for candidate in "${TANDEM_PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
    [ -n "$candidate" ] || continue
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    newest=$version
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    if [ -n "$newest" ]; then
        echo "Tandem needs Python 3.11 or later; this machine has $newest. Install a newer one, or name it: TANDEM_PYTHON=/path/to/python3.11 $0" >&2
    else
        echo "Tandem needs Python 3.11 or later, and found no Python here. On Debian or Ubuntu: apt install python3 python3-venv" >&2
    fi
    exit 1
fi
