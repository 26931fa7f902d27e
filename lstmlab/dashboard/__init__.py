"""``lstmlab dashboard``: a local page over run directories while they fill.

It only reads: no lock is taken, and nothing is written into a run's directory. Importing it loads neither JAX nor the
typed configuration, so that the page opens within seconds.
"""
