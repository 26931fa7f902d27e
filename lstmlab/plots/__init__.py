"""Figures: arrays and plain values in, PNG files or pixels out.

One file per kind of figure; :mod:`~lstmlab.plots.style` holds the colours and sizes that they share, and
:mod:`~lstmlab.plots.images` the encoders of PNG and GIF.
"""
