"""``python -m ingest``."""

import sys

try:
    from ingest.cli import main
except KeyboardInterrupt:  # Ctrl-C before there is a program to tell of it
    sys.exit(130)

if __name__ == "__main__":
    main()
