"""The command line: arguments in, words out. What is decided is decided below."""
