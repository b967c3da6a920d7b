"""Setting up: what is yours is asked once, and written into the environment files.

`questions.py` says what is asked and where each answer goes; `answers.py` takes the answers, checks what the
files become, and changes them line by line, so that their comments stay.
"""
