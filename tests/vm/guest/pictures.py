# SPDX-License-Identifier: MIT
"""Pictures as arrays of shape (height, width), one uint32 0x00RRGGBB a pixel, and what a difference looks like."""

import numpy
from PIL import Image


def pattern(seed, width, height):
    """A picture in which each pixel tells where it is and which seed made it."""
    x = numpy.arange(width, dtype=numpy.uint32)[None, :]
    y = numpy.arange(height, dtype=numpy.uint32)[:, None]
    seed = numpy.uint32(seed)
    red = (x * 3 + seed * 29) & 255
    green = (y * 5 + (x >> 3) + seed * 7) & 255
    blue = ((x ^ y) + seed * 101) & 255
    return ((red << 16) | (green << 8) | blue).astype(numpy.uint32)


def load(path):
    with Image.open(path) as image:
        rgb = numpy.asarray(image.convert("RGB"), dtype=numpy.uint32)
    return (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]


def save(picture, path):
    rgb = numpy.stack([(picture >> shift) & 255 for shift in (16, 8, 0)], axis=-1).astype(numpy.uint8)
    Image.fromarray(rgb).save(path)


def centred(picture, width, height):
    """The picture in the middle of a black one."""
    whole = numpy.zeros((height, width), numpy.uint32)
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def difference(actual, expected):
    """None where both are the same, else a sentence."""
    if actual.shape != expected.shape:
        return f"the picture is {actual.shape[1]}x{actual.shape[0]}, not {expected.shape[1]}x{expected.shape[0]}"
    wrong = numpy.argwhere(actual != expected)
    if not len(wrong):
        return None
    y, x = wrong[0]
    return (f"{len(wrong)} of {actual.size} pixels differ, the first at {x},{y}: "
            f"{actual[y, x]:06x}, not {expected[y, x]:06x}")
