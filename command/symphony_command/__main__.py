"""`python -m symphony_command`: the same as `symphony`."""

from symphony_command.main import main

if __name__ == "__main__":
    main()
