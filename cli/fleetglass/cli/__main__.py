import sys

from fleetglass.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
