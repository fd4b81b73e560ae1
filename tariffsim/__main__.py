"""`python -m tariffsim` is the command line."""

from tariffsim.cli import main

if __name__ == "__main__":
    main()
