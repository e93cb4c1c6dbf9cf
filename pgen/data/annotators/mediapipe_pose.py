"""Poses by ``mediapipe``: people are found in photos of any size, one after the other, and looked at several times."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.crop import CropBox
from pgen.body.joints import Joint, known_joints
from pgen.data.annotators.blaze_pose import BlazePose, Look, get_size, reduce
from pgen.data.annotators.consensus import average_poses, decide, find_consensus, is_likely
from pgen.data.annotators.interface import FoundPerson
from pgen.data.annotators.landmarks import Landmarks, to_pose
from pgen.errors import InputError

# Longer side, in pixels, of what is looked at: for finding people, and for a person's joints.
_OVERVIEW, _CLOSE = 640, 384

# Photos are worked on at this longer side at most; what is found is in their own pixels.
_LARGEST = 1280

# Where people touch the photo's border, the network does better with the border's pixels repeated around it, by these
# shares of the longer side; others are for doubtful cases, and the last if these bring nothing likely.
_PADDING, _OTHER_PADDINGS, _LAST_PADDINGS = 0.25, (0.0, 0.125), (0.06, 0.375, 0.6)

# A person is painted over in blocks of so many pixels a side.
_BLOCK = 4

_MOST_NETWORKS = 2  # that look at a photo at the same time
_MARGIN = 0.2  # of a person's box, left around it for the close look
_MOST_PEOPLE = 6
_SURE = 0.5  # mean visibility of shoulders and hips from which on there is a person
_SMALLEST = 0.02  # share of the largest person's silhouette below which a find is a remnant of somebody
_OVERLAP = 0.5  # of a silhouette with one found before, from which on both are one person

# Windows that are searched if nobody is found in the whole photo, or the first takes up less than the second number of
# its sides, in shares of these.
_WINDOWS, _SMALL = (0.6, 0.35), 0.7

# What a person's silhouette is like: how much of it is sure, the share of joints on it, and its area in areas of the
# box around the joints. Of 64 real and synthetic people 0.83 or more is sure, of animals and things seldom 0.85, and
# then left and right are doubtful.
_CLEAR, _CLEAR_IF_DOUBTFUL, _JOINTS_ON_IT, _MOST_EXTENTS = 0.72, 0.87, 0.5, 3.2
_NEAR = 0.015  # of the photo's longer side, by which a joint may miss it


class MediapipePose:
    """A `PoseAnnotator`: works offline, with the extra ``photo``.

    Raises `InputError` without the extra, or if ``weights`` are given: the package has its own.
    """

    name = "mediapipe"

    def __init__(self, weights: str | None = None) -> None:
        if weights is not None:
            raise InputError(f"the annotator mediapipe takes no weights, and {weights} is given; its own are inside it")
        if importlib.util.find_spec("mediapipe") is None:
            raise InputError(
                "estimating a pose needs mediapipe, which is not installed: pip install 'pgen[photo]' (or give the "
                "pose yourself)"
            )
        self._networks = [BlazePose()]

    def people(self, image: NDArray[np.uint8]) -> list[FoundPerson]:
        """The people in a photo, the largest first.

        The network sees one person at a time, so each is painted over and the rest searched again: people who stand
        far apart are found surely, those behind others only sometimes.
        """
        size = get_size(image)
        image = reduce(image, _LARGEST)
        found: list[tuple[Landmarks, bool]] = []
        taken = np.zeros(get_size(image), dtype=bool)
        rest = image
        for _ in range(_MOST_PEOPLE):
            windows = not found or _is_small(found[0][0].silhouette)
            first = self._search(rest, windows, repeated=bool(found))
            if first is None or not _is_somebody(first, taken):
                break
            person, doubtful = self._look_closely(rest, first)
            if found and not is_likely(person):
                break  # things beside a person are taken for people upside down
            found.append((person, doubtful))
            taken |= person.silhouette > 0.5
            rest = _paint_over(rest, person)
        people = [_to_person(landmarks, doubtful, size) for landmarks, doubtful in found]
        return sorted(people, key=lambda person: (not person.is_likely, -person.extent))

    def _search(self, image: NDArray[np.uint8], windows: bool, repeated: bool) -> Landmarks | None:
        """Somebody in the whole photo, or in ``windows`` of it.

        The first look mostly finds a first person; if the search is ``repeated``, mostly neither does.
        """
        whole = CropBox.whole(get_size(image))
        overviews = [Look(whole, _OVERVIEW, _PADDING), Look(whole, _OVERVIEW, 0)]
        for looks in [overviews] if repeated else [[one] for one in overviews]:
            if found := next(filter(None, self._look(image, looks)), None):
                return found
        parts = [Look(box, _OVERVIEW, 0) for box in _list_windows(whole)] if windows else []
        return max(filter(None, self._look(image, parts)), key=_measure_certainty, default=None)

    def _look_closely(self, image: NDArray[np.uint8], first: Landmarks) -> tuple[Landmarks, bool]:
        """The same person, looked at alone and mirrored; and whether the looks disagree."""
        box = _box_around(first, get_size(image))
        straight, mirrored = self._look(image, [Look(box, _CLOSE, _PADDING, mirror) for mirror in (False, True)])
        straight = straight or first
        if mirrored is not None and find_consensus(straight, mirrored, image):
            return average_poses([straight, mirrored]), False
        tried = [straight, mirrored]
        for paddings in (_OTHER_PADDINGS, _LAST_PADDINGS):
            tried += self._look(
                image, [Look(box, _CLOSE, padding, mirror) for padding in paddings for mirror in (False, True)]
            )
            looks = [look for look in tried if look is not None]
            if any(is_likely(look) for look in looks):
                break
        return decide(looks, image)

    def _look(self, image: NDArray[np.uint8], looks: Sequence[Look]) -> list[Landmarks | None]:
        """What each of ``looks`` finds; two of them at a time, if torch may have two threads."""
        count = min(torch.get_num_threads(), len(looks), _MOST_NETWORKS)
        while len(self._networks) < count:
            self._networks.append(BlazePose())
        free = SimpleQueue[BlazePose]()
        for network in self._networks:
            free.put(network)

        def run(look: Look) -> Landmarks | None:
            network = free.get()
            try:
                return look.find(image, network)
            finally:
                free.put(network)

        if count <= 1:
            return [run(look) for look in looks]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(run, looks))


def _to_person(small: Landmarks, doubtful: bool, size: tuple[int, int]) -> FoundPerson:
    """Who was found, in a photo of ``size`` that was looked at ``small``."""
    seen = FoundPerson(*to_pose(small, get_size(small.silhouette)), small.silhouette)
    person = _enlarge(small, size)
    pose, confidence = to_pose(person, size)
    doubts = []
    if doubtful:
        doubts.append("the pose is uncertain, left and right may be mixed up; look at it")
    if not np.isfinite(pose[[Joint.R_HIP, Joint.L_HIP]]).all():
        doubts.append("the hips are outside of the photo or hidden; a photo that shows them does better")
    is_likely = _has_shape_of_person(seen, doubtful)
    if not is_likely:
        doubts.append("this may be no person at all; look at the pose")
    return FoundPerson(pose, confidence, person.silhouette, tuple(doubts), is_likely)


def _has_shape_of_person(found: FoundPerson, doubtful: bool) -> bool:
    """Whether the silhouette is clear, of a body's size, and has the joints on it."""
    assert found.silhouette is not None
    body = found.silhouette > 0.5
    area = int(body.sum())
    clear = int((found.silhouette > 0.9).sum()) / max(1, area)
    height, width = body.shape
    reach = max(1, round(_NEAR * max(height, width)))
    points = np.rint(found.pose[known_joints(found.pose)]).astype(int).tolist()
    hits = [body[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].any() for x, y in points]
    is_clear = clear >= (_CLEAR_IF_DOUBTFUL if doubtful else _CLEAR)
    return bool(is_clear and sum(hits) >= _JOINTS_ON_IT * len(hits) and area <= _MOST_EXTENTS * found.extent)


def _enlarge(found: Landmarks, size: tuple[int, int]) -> Landmarks:
    """The same in a photo of ``size``."""
    if found.silhouette.shape == size:
        return found
    import cv2  # mediapipe needs it too; Pillow would hold a large picture three times

    scale = np.array(size[::-1]) / np.array(found.silhouette.shape[::-1])
    silhouette = cv2.resize(found.silhouette, size[::-1], interpolation=cv2.INTER_LINEAR)
    return replace(found, points=(found.points + 0.5) * scale - 0.5, silhouette=np.asarray(silhouette, np.float32))


def _measure_certainty(found: Landmarks) -> float:
    """Mean visibility of shoulders and hips."""
    return float(found.visibility[[11, 12, 23, 24]].mean())


def _is_somebody(found: Landmarks, taken: NDArray[np.bool_]) -> bool:
    """Whether a find is a person not met before, seen for the most part within the photo."""
    size, body = taken.shape, found.silhouette > 0.5
    area = int(body.sum())
    if area < max(_SMALLEST * int(taken.sum()), 1) or (body & taken).sum() > _OVERLAP * area:
        return False
    shoulders = found.points[[11, 12]]
    inside = ((shoulders > (-0.1 * size[1], -0.1 * size[0])) & (shoulders < (1.1 * size[1], 1.1 * size[0]))).all()
    return bool(inside) and _measure_certainty(found) > _SURE


def _box_around(person: Landmarks, size: tuple[int, int]) -> CropBox:
    """The part of a photo of ``size`` that shows the person, with a margin."""
    height, width = size
    shown = person.points[person.visibility > _SURE] if (person.visibility > _SURE).sum() > 1 else person.points
    low, high = shown.min(0), shown.max(0)
    rows, columns = np.nonzero(person.silhouette > 0.5)
    if len(rows):
        low, high = np.minimum(low, (columns.min(), rows.min())), np.maximum(high, (columns.max(), rows.max()))
    margin = _MARGIN * float((high - low).max()) + 1
    left, top = np.floor(low - margin).astype(int).clip(0, (width - 1, height - 1))
    right, bottom = np.ceil(high + margin).astype(int).clip((left + 1, top + 1), (width, height))
    return CropBox(int(top), int(left), int(bottom), int(right))


def _is_small(silhouette: NDArray[np.float32]) -> bool:
    """Whether the person leaves much of the photo free, in which smaller people may be."""
    body = silhouette > 0.5
    return bool(body.any(0).mean() < _SMALL and body.any(1).mean() < _SMALL)


def _list_windows(whole: CropBox) -> Iterator[CropBox]:
    """Windows that overlap by half and cover the photo, larger ones first."""
    for share in _WINDOWS:
        height, width = round(share * whole.bottom), round(share * whole.right)
        side = max(height, width, 1)
        height, width = min(side, whole.bottom), min(side, whole.right)
        for top in _list_starts(whole.bottom, height):
            for left in _list_starts(whole.right, width):
                yield CropBox(top, left, top + height, left + width)


def _list_starts(length: int, window: int) -> list[int]:
    count = max(1, int(np.ceil((length - window) / (window / 2))) + 1)
    return sorted({int(start) for start in np.linspace(0, length - window, count).round()})


def _paint_over(image: NDArray[np.uint8], person: Landmarks) -> NDArray[np.uint8]:
    """The photo with the person painted over by the colours of the nearest ground, blurred."""
    size = get_size(image)
    reach = max(2, round(0.015 * max(size)))
    hidden = ndimage.maximum_filter(person.silhouette > 0.3, size=2 * reach + 1)
    # In blocks of some pixels: what is blurred needs no more, and it takes a tenth of the time.
    ground = Image.fromarray(np.uint8(255) * ~hidden)
    share = np.asarray(ground.reduce(_BLOCK))
    grounds = Image.fromarray(image * ~hidden[..., None]).reduce(_BLOCK)
    known = share > 127
    if not known.any():
        return np.zeros_like(image)
    colors = np.asarray(grounds, np.float32) * (255 / np.maximum(share, 1, dtype=np.float32))[..., None]
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    across = 4 * round(reach / _BLOCK) + 1
    smooth = ndimage.uniform_filter(colors[tuple(nearest)], size=(across, across, 1)).clip(0, 255).astype(np.uint8)
    filled = Image.fromarray(smooth).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(Image.composite(Image.fromarray(image), filled, ground))
