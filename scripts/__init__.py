"""What ./start, ./test and ./bench run. Standard library only, until .venv exists."""
