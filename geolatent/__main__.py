"""The command line as `python -m geolatent`."""

from geolatent.cli import main

if __name__ == "__main__":
    main()
