"""Small experiments on a lent account, one for each assumption that they settle.

Each makes what it needs through the `LentAccount`, which removes it, and says what was seen.
"""
