"""Pixels: checked types, lossless files, labelled grids."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from lstmlab.plots.images import (
    enlarged,
    frames_grid,
    frames_to_gif,
    gif_bytes,
    png_bytes,
    to_pixels,
)


def test_numbers_become_grey_levels():
    values = np.array([[-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]])
    np.testing.assert_array_equal(to_pixels(values), [[0, 0, 128, 255, 255, 0]])
    np.testing.assert_array_equal(to_pixels(np.array([-2.0, 2.0]), low=-2, high=2), [0, 255])
    with pytest.raises(ValueError, match="low must be below high"):
        to_pixels(values, low=1.0, high=1.0)


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_png_is_lossless(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png_bytes(pixels)))), pixels)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 2)),
        np.zeros((2, 2), np.int32),
        np.zeros(4, np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((0, 2), np.uint8),
    ],
)
def test_other_arrays_are_refused_not_guessed(wrong):
    with pytest.raises(ValueError, match=r"an image is uint8 of shape \(height, width\)"):
        png_bytes(wrong)


def test_a_gif_has_the_frames_that_it_was_given(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (4, 130, 140), np.uint8)
    frames_to_gif(tmp_path / "a.gif", frames, frames_per_second=4)
    gif = Image.open(tmp_path / "a.gif")
    shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(gif)]
    np.testing.assert_array_equal(shown, frames)
    assert gif.info["duration"] == 250
    assert gif.info["loop"] == 0


def test_small_frames_are_enlarged_without_smoothing():
    frames = np.arange(2, dtype=np.uint8)[:, None, None] * np.full((2, 20, 30), 9, np.uint8)
    assert Image.open(io.BytesIO(gif_bytes(frames))).size == (7 * 30, 7 * 20)
    pixels = np.array([[1, 2], [3, 4]], np.uint8)
    big = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])
    np.testing.assert_array_equal(enlarged(pixels, 4), big)
    np.testing.assert_array_equal(enlarged(pixels, 1), pixels)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4), (2, 4, 4, 4)])
def test_a_video_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError):
        gif_bytes(np.zeros(shape, np.uint8))


def test_a_grid_shows_every_frame_in_its_row_and_column():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (3, 8, 8), np.uint8)
    prediction = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    grid = frames_grid({"truth": truth, "prediction": prediction}, smallest_side=64)
    assert grid.dtype == np.uint8
    assert grid.shape[2] == 3

    def find(frame):
        """Where a frame lies in the grid: (top, left) of its only occurrence."""
        tile = enlarged(frame if frame.ndim == 3 else frame[..., None].repeat(3, -1), 64)
        windows = np.lib.stride_tricks.sliding_window_view(grid, tile.shape)[:, :, 0]
        candidates = np.argwhere((windows[:, :, 0, 0] == tile[0, 0]).all(-1))
        [place] = [(y, x) for y, x in candidates if (windows[y, x] == tile).all()]
        return place

    places = [find(frame) for frame in truth]
    tops, lefts = zip(*places, strict=True)
    assert len(set(tops)) == 1
    np.testing.assert_array_equal(np.diff(lefts), 68)
    below = [find(frame) for frame in prediction]
    assert [left for _, left in below] == list(lefts[:2])
    assert [top for top, _ in below] == [tops[0] + 68] * 2
    # The labels: ink left of the frames.
    assert (grid[tops[0] : tops[0] + 64, : lefts[0]] < 128).any()


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"a": np.zeros((2, 4, 4), np.uint8), "b": np.zeros((2, 4, 5), np.uint8)},
        {"a": np.zeros((4, 4), np.uint8)},
    ],
)
def test_a_grid_of_different_sizes_is_refused(rows):
    with pytest.raises(ValueError, match="need one height and width"):
        frames_grid(rows)
