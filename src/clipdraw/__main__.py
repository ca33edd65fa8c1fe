"""`python -m clipdraw` is the command line."""

from clipdraw.cli import main

main()
