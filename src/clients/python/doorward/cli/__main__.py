"""`python -m doorward.cli`, for where the script `doorward` is not on the path."""

import sys

from doorward.cli import main

if __name__ == "__main__":
    sys.exit(main())
