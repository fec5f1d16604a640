"""Pictures made small keep their size and their commonest colours."""

from __future__ import annotations

import numpy as np
import pytest

from tests.web.citizens import png
from tests.web.small_png import pixels, smaller


def test_a_picture_of_few_colours_is_kept_as_it_is() -> None:
    picture = png(40, 30)
    before = pixels(picture)
    small = smaller(picture)
    assert small[:8] == picture[:8]
    assert before.shape == (30, 40, 3)
    assert len(np.unique(before.reshape(-1, 3), axis=0)) <= 256
    assert b"PLTE" in small


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (64, 2)])
def test_sizes_stay(size: tuple[int, int]) -> None:
    small = smaller(png(*size))
    assert (int.from_bytes(small[16:20]), int.from_bytes(small[20:24])) == size


def test_what_has_a_palette_already_is_refused() -> None:
    with pytest.raises(ValueError, match="truecolour"):
        pixels(smaller(png(8, 8)))
