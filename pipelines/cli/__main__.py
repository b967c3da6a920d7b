"""`python -m pipelines.cli`: the command line where no `payments` is installed."""

from pipelines.cli.main import main

if __name__ == "__main__":
    main(prog_name="payments")
