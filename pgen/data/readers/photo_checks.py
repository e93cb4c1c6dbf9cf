"""Checks of a data set before the work begins, on a sample of its photos: frames, labels, and who is in them.

Those of labels are also for a single photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint
from pgen.body.labels import LABELS, Label
from pgen.body.sides import ARM, LEG
from pgen.data.formats.images import read_image
from pgen.data.formats.parsing import read_label_ids
from pgen.data.formats.parsing_merge import merge_labels
from pgen.data.formats.parsing_schemes import DRESS, SCHEMES, SKIN, ParsingScheme, load_scheme, schemes_with
from pgen.data.readers.frames import CSV_REMEDY, FILE_REMEDY, check_frame, parsing_into_photo, pose_into_photo
from pgen.data.readers.keypoint_sources import load_pose
from pgen.data.readers.person_checks import OTHER_LABELS, MisfitError, joints_on_body
from pgen.data.readers.photo_set import Photo, PhotoSet
from pgen.errors import InputError

_LOOKED_AT = 50  # photos
_ENOUGH = 5  # of them that must be seen before labels or people are judged
_RIGHT = 0.3  # share of the landmarks that must lie on the right labels
_ON_BODY = 0.6  # share of the joints that must lie on the body, in most photos
# Of the joints of other poses that miss a map, the share which its own pose must bring home. For 50 synthetic people:
# 0.55 to 1 with their own maps, up to 0.2 with those of others.
_GAIN = 0.2
_FAR = 0.05  # heights by which another pose must differ to be compared with


@dataclass(frozen=True)
class _Landmark:
    """Joints that lie on the same labels in nearly all photos; those on the background do not count."""

    joints: str
    place: str
    indices: tuple[Joint, ...]
    labels: tuple[str, ...]


_LANDMARKS = (
    _Landmark("noses", "the face", (Joint.NOSE,), (LABELS[Label.FACE], SKIN)),
    _Landmark(
        "knees",
        "trousers, skirt or legs",
        (Joint.R_KNEE, Joint.L_KNEE),
        (*(LABELS[label] for label in (Label.PANTS, Label.SKIRT, Label.L_LEG, Label.R_LEG)), DRESS, LEG, SKIN),
    ),
    _Landmark(
        "shoulders",
        "upper clothes, hair or arms",
        (Joint.R_SHOULDER, Joint.L_SHOULDER),
        (*(LABELS[label] for label in (Label.UPPER, Label.HAIR, Label.L_ARM, Label.R_ARM)), DRESS, ARM, SKIN),
    ),
)


@dataclass(frozen=True)
class _Seen:
    """A photo of the sample, as far as it can be read."""

    photo: Photo
    size: tuple[int, int]
    frame: tuple[int, int]  # that the pose refers to
    pose: NDArray[np.float32]
    ids: NDArray[np.integer] | None  # as the map has them
    notes: tuple[str, ...] = ()  # how the pose was read

    def pose_in_map(self) -> NDArray[np.float32]:
        """The pose (18, 2) in pixels of the map."""
        assert self.ids is not None
        pose = pose_into_photo(self.pose, self.frame, self.size)
        return pose_into_photo(pose, self.size, (self.ids.shape[0], self.ids.shape[1]))

    def find_ids_under(self, joints: Sequence[Joint]) -> list[int]:
        """The ids in the map under the joints that are known."""
        assert self.ids is not None
        return _find_ids_under(self.ids, self.pose_in_map(), joints)


def check_photos(found: PhotoSet) -> tuple[str, ...]:
    """Look at some photos of ``found`` and refuse annotations that cannot be theirs; returns what is suspicious.

    Raises `InputError` naming the likely remedy if keypoints refer to another frame, are missing, or have x and y
    swapped; if the maps' labels are those of another scheme; or if keypoints and maps show different people.
    """
    seen = _look(found)
    remedy = CSV_REMEDY if found.keypoints.endswith(".csv") else FILE_REMEDY
    check_frame([one.pose for one in seen], [one.frame for one in seen], found.keypoints, swap_remedy=remedy)
    with_maps = [one for one in seen if one.ids is not None]
    _check_labels(with_maps, found.conventions.scheme)
    _check_people(with_maps, found)
    units = [note for one in seen for note in one.notes if "coordinates" in note]
    if units:
        units = [f"{found.keypoints}, in {len(units)} of {len(seen)} photos that were looked at: {units[0]}"]
    return (*units, *_list_doubts(with_maps, found.conventions.scheme))


def check_labels(
    ids: NDArray[np.integer], scheme: ParsingScheme, pose: NDArray[np.floating], source: str
) -> str | None:
    """Refuse the map ``ids`` (H, W) of a photo if ``pose`` (18, 2), in its pixels, shows that it is of another scheme.

    That is, if no landmark lies on the right labels as ``scheme`` has them, and all do in another one. Returns a doubt
    where they do in none. ``source`` names the map. Raises `MisfitError`.
    """
    if _count_landmarks(ids, scheme, pose)[0]:
        return None
    schemes = {name: _count_landmarks(ids, load_scheme(name), pose) for name in schemes_with(np.unique(ids))}
    likely = [name for name, (right, count) in schemes.items() if right == count > 1]
    if likely:
        landmarks = ", ".join(landmark.joints for landmark in _LANDMARKS)
        raise MisfitError(
            OTHER_LABELS,
            f"{source}: no landmark ({landmarks}) lies on the labels that it should if they are read as {scheme.name}; "
            f"give the scheme that they follow{_suggest(likely)}",
            option="parsing_scheme",
        )
    if _count_landmarks(ids, scheme, pose)[1] < 2:
        return None
    return (
        f"{source}: neither nose, knees nor shoulders lie on labels that are theirs in {scheme.name}; look at the map"
    )


def _count_landmarks(ids: NDArray[np.integer], scheme: ParsingScheme, pose: NDArray[np.floating]) -> tuple[int, int]:
    """How many landmarks lie where they should, and how many lie on anything."""
    right = count = 0
    nothing = scheme.ids_becoming(LABELS[Label.BACKGROUND])
    for landmark in _LANDMARKS:
        wanted = scheme.ids_becoming(*landmark.labels)
        under = [value for value in _find_ids_under(ids, pose, landmark.indices) if value not in nothing]
        right, count = right + sum(value in wanted for value in under), count + len(under)
    return right, count


def _look(found: PhotoSet) -> list[_Seen]:
    """The photos of the sample that can be read, out of those with keypoints."""
    photos = [photo for photo in found.photos if photo.pose is not None]
    seen = []
    for photo in photos[:: -(-len(photos) // _LOOKED_AT) or 1]:
        assert photo.pose is not None
        try:
            height, width, _ = read_image(photo.path).shape
            size = (height, width)
            chosen, own = load_pose(photo.pose, found.conventions.frame or size, found.conventions.min_confidence)
        except InputError:
            continue  # counted when it is read for good
        frame = own or found.conventions.frame or size
        seen.append(_Seen(photo, size, frame, chosen.pose, _read_ids(photo, found), chosen.notes))
    return seen


def _read_ids(photo: Photo, found: PhotoSet) -> NDArray[np.integer] | None:
    try:
        return None if photo.parsing is None else read_label_ids(photo.parsing, found.conventions.scheme)
    except InputError:
        return None


def _check_labels(seen: Sequence[_Seen], scheme: ParsingScheme) -> None:
    """Refuse maps with labels that ``scheme`` does not have, or with landmarks on the wrong ones."""
    if not seen:
        return
    ids = [np.unique(one.ids) for one in seen if one.ids is not None]
    unknown = [scheme.unknown(values) for values in ids]
    if sum(bool(values.size) for values in unknown) > len(seen) / 2:
        every = np.unique(np.concatenate(ids))
        others = [name for name in schemes_with(every) if name != scheme.name]
        have = ", ".join(map(str, np.unique(np.concatenate(unknown))[:8]))
        raise InputError(
            f"{seen[0].photo.parsing} and others have label ids {have}, which {scheme.name} does not have; give the "
            f"scheme that they follow{_suggest(_find_likely(seen, others) or others)}",
            option="parsing_scheme",
        )
    for landmark, share in _measure_shares(seen, scheme).items():
        if share < _RIGHT:
            likely = _find_likely(seen, [name for name in SCHEMES if name != scheme.name])
            raise InputError(
                f"{seen[0].photo.parsing} and others: the {landmark.joints} lie on {landmark.place} in only "
                f"{share:.0%} of them if their labels are read as {scheme.name}; they follow another "
                f"scheme{_suggest(likely)}, or keypoints and maps are of different photos",
                option="parsing_scheme",
            )


def _measure_shares(seen: Sequence[_Seen], scheme: ParsingScheme) -> dict[_Landmark, float]:
    """For each landmark that is seen often enough, the share that lies where it should, with labels of ``scheme``."""
    shares = {}
    for landmark in _LANDMARKS:
        wanted = scheme.ids_becoming(*landmark.labels)
        nothing = scheme.ids_becoming(LABELS[Label.BACKGROUND])
        under = [value for one in seen for value in one.find_ids_under(landmark.indices) if value not in nothing]
        if len(under) >= _ENOUGH:
            shares[landmark] = sum(value in wanted for value in under) / len(under)
    return shares


def _find_ids_under(ids: NDArray[np.integer], pose: NDArray[np.floating], joints: Sequence[Joint]) -> list[int]:
    """The ids in the map under the joints that are known."""
    height, width = ids.shape
    points = np.nan_to_num(pose[list(joints)], nan=-1).round().astype(int)
    return [int(ids[y, x]) for x, y in points if 0 <= x < width and 0 <= y < height]


def _find_likely(seen: Sequence[_Seen], names: Sequence[str]) -> list[str]:
    """Which of the schemes have all ids, and landmarks where they should be."""
    every = np.unique(np.concatenate([np.unique(one.ids) for one in seen if one.ids is not None]))
    fitting = []
    for name in names:
        shares = _measure_shares(seen, load_scheme(name))
        if name in schemes_with(every) and all(share > 2 * _RIGHT for share in shares.values()):
            fitting.append(name)
    return fitting


def _check_people(seen: Sequence[_Seen], found: PhotoSet) -> None:
    """Refuse poses that miss the bodies, or that fit the maps of others as well as their own."""
    poses, maps = [], []
    for one in seen:
        pose = pose_into_photo(one.pose, one.frame, one.size)
        parsing = _merge(one, found.conventions.scheme)
        if parsing is not None:
            poses.append(pose / one.size[0])
            maps.append(parsing)
    own = [_measure_fit(pose, parsing) for pose, parsing in zip(poses, maps, strict=True)]
    known = [share for share in own if share is not None]
    if len(known) < _ENOUGH:
        return
    source = f"{found.keypoints} and the parsing maps"
    remedy = "check that keypoints, maps and photos have the same names, and the frame of the keypoints"
    if sum(share < _ON_BODY for share in known) > len(known) / 2:
        raise InputError(
            f"{source} do not show the same people: in most of them only {np.median(known):.0%} of the joints lie on "
            f"the body; {remedy}"
        )
    gains, misses = [], []
    for step in (1, len(poses) // 3, len(poses) // 2):
        for index, share in enumerate(own):
            other = poses[(index + step) % len(poses)]
            apart = float(np.nan_to_num(np.abs(other - poses[index])).mean())
            fit = _measure_fit(other, maps[index]) if apart > _FAR else None
            if share is not None and fit is not None:
                gains.append(share - fit)
                misses.append(1 - fit)
    if len(gains) >= 2 * _ENOUGH and np.mean(gains) < _GAIN * np.mean(misses):
        raise InputError(
            f"{source} do not show the same people: the joints lie no better on the body of their own map than on "
            f"those of others; {remedy}"
        )


def _merge(one: _Seen, scheme: ParsingScheme) -> NDArray[np.uint8] | None:
    """Its map in our labels, as large as the photo; None if it cannot be merged."""
    assert one.ids is not None
    try:
        merged = merge_labels(one.ids, scheme, one.pose_in_map())
    except InputError:
        return None
    return merged if merged.shape == one.size else parsing_into_photo(merged, one.size)


def _measure_fit(pose: NDArray[np.floating], parsing: NDArray[np.uint8]) -> float | None:
    """`joints_on_body` for a pose in heights of the photo."""
    return joints_on_body(pose * parsing.shape[0], parsing)


def _list_doubts(seen: Sequence[_Seen], scheme: ParsingScheme) -> tuple[str, ...]:
    """What is suspicious, but may be right."""
    if scheme.name != "lip20" or len(seen) < _ENOUGH:
        return ()
    share = sum(one.ids is not None and bool(np.any(one.ids == 10)) for one in seen) / len(seen)
    if share < 0.5:
        return ()
    return (
        f"{share:.0%} of the maps have the label 10, a jumpsuit in lip20; in cihp20 it is the skin of neck and chest; "
        "give the scheme",
    )


def _suggest(names: Sequence[str]) -> str:
    return f", perhaps {' or '.join(names)}" if names else ""
