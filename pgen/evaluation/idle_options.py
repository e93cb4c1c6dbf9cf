"""Parameters of an evaluation that would do nothing: they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgen.errors import InputError
from pgen.metrics.base import MetricOptions, check_options


def refuse_idle_options(
    options: MetricOptions,
    given: Mapping[str, object],
    is_store: bool,
    has_results: bool,
    is_unpaired: bool,
    no_cache: bool,
) -> None:
    """Raises `InputError` for what is ``given`` about results, photos or metrics that there are not.

    Args:
        given: by the name of the parameter.
        is_store: photos are those of a prepared data set.
        has_results: results of others are scored.
        is_unpaired: nothing is compared with true photos: the detector and the parser look at the photos, too.
    """
    check_options(replace(options, detector=None, parser=MetricOptions.parser) if is_unpaired else options)
    for name, is_used, about in (
        ("layout", has_results, "results of others, which are not given"),
        ("panel", has_results, "results of others, which are not given"),
        ("keypoints", not is_store, "a folder of targets, and a prepared data set has poses of its own"),
        ("frame", not is_store and bool(given["keypoints"]), "keypoints of a folder of targets, which are not given"),
        ("train_images", "train" in options.against, "scores against training images, which are not asked for"),
        ("photos", is_unpaired, "people without true photos"),
        ("pose", is_unpaired, "people without true photos"),
        ("cache", not no_cache, "measurements, of which none are to be kept"),
    ):
        if given[name] not in (None, (), [], "") and not is_used:
            raise InputError(f"this is about {about}; leave it out", option=name)
