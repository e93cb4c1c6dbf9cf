"""Ways in which files and values are damaged, for hypothesis to choose from."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

#: What may stand in JSON in the place of something sensible.
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 400),
    st.sampled_from([float("nan"), float("inf"), -1e308, 1e5, 10**400, 2**63, "", "é/\x00", "9" * 400]),
    st.sampled_from([[], {}, [[]], [None]]),
    st.floats(),
    st.text(max_size=4),
)  # fmt: skip


@st.composite
def damaged_json(draw: st.DrawFn, content: Any, most: int = 3) -> tuple[bytes, bool]:
    """``content`` as JSON with up to ``most`` values at any depth replaced, left out or doubled; and whether it is."""
    content, count = copy.deepcopy(content), draw(st.integers(0, most))
    for _ in range(count):
        holder: Any = [content]
        key: Any = 0
        for _ in range(draw(st.integers(0, 5))):
            value = holder[key]
            keys = (
                list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
            )
            if not keys:
                break
            holder, key = value, draw(st.sampled_from(keys))
        how = draw(st.sampled_from(["replace", "replace", "remove", "double"]))
        if holder == [content] or how == "replace":
            new = copy.deepcopy(draw(JUNK))
            content = new if holder == [content] else content
            holder[key] = new
        elif how == "remove":
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, holder[key])
    return json.dumps(content, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass"), count > 0


@st.composite
def damaged_bytes(draw: st.DrawFn, data: bytes, most: int = 3) -> tuple[bytes, bool]:
    """``data`` with up to ``most`` parts changed, cut out, doubled or inserted; and whether it is damaged."""
    broken, count = bytearray(data), draw(st.integers(0, most))
    for _ in range(count):
        start = draw(st.integers(0, max(0, len(broken) - 1)))
        stop = start + draw(st.sampled_from([1, 1, 2, 8, 64, 10**9]))
        how = draw(st.sampled_from(["change", "remove", "double", "insert"]))
        if how == "change":
            broken[start : start + 1] = bytes([draw(st.integers(0, 255))])
        elif how == "remove":
            del broken[start:stop]
        elif how == "double":
            broken[start:start] = broken[start : min(stop, start + 64)]
        else:
            broken[start:start] = draw(st.binary(max_size=6))
    return bytes(broken), bytes(broken) != data


@st.composite
def damaged_text(draw: st.DrawFn, text: str, most: int = 3) -> tuple[bytes, bool]:
    """``text`` with up to ``most`` of its words and signs replaced by others; and whether it is damaged."""
    signs = [
        ":",
        ",",
        "[",
        "]",
        "\n",
        "\r\n",
        "\t",
        " ",
        '"',
        "\x00",
        "\ufeff",
        "-1",
        "nan",
        "1e999",
        "9" * 30,
        "é",
        "",
    ]
    broken, count = text, draw(st.integers(0, most))
    for _ in range(count):
        place = draw(st.integers(0, len(broken)))
        end = place + draw(st.sampled_from([0, 1, 1, 3, 20]))
        broken = broken[:place] + draw(st.sampled_from(signs)) + broken[end:]
    return broken.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))), broken != text


@st.composite
def any_array(draw: st.DrawFn, most: int = 24) -> np.ndarray:
    """An array of any kind, number of axes and values, at most ``most`` along an axis."""
    kind = draw(st.sampled_from(["u1", "i1", "i4", "u8", "f4", "f2", "c8", "?", "U3", "O", "M8[s]"]))
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 18, most]), max_size=4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(0, draw(st.sampled_from([1, 5, 300, 1e30])), shape)
    values[rng.random(shape) < draw(st.sampled_from([0, 0, 0.3, 1]))] = np.nan
    with np.errstate(all="ignore"):
        return np.nan_to_num(values).astype(kind) if kind[0] in "uiM?" else values.astype(kind)
