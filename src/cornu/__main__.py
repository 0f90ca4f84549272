"""``python -m cornu``: the command `cornu`."""

from cornu.cli.main import exit_process

if __name__ == "__main__":
    exit_process()
