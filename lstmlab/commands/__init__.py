"""The command line: one file per command, named as the user types it, with a function ``main(arguments)``.

The docstring of ``main`` is the command's help, except that of ``train``, whose help is in ``cli.py``. Commands do not
import each other; what they share is in files whose names begin with an underscore.
"""
