"""Agreement of the map that a parser finds in a result with the one that the result was painted into."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from pgen.data.annotators.interface import ParsingAnnotator, ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, find_annotator, load_annotator
from pgen.data.weights import BUNDLED_PARSER, find_weights
from pgen.metrics.base import Batch, MetricOptions, register
from pgen.metrics.joints import WHO, DetectorMetric
from pgen.metrics.miou import MeanIou, count_intersection_and_union, mean_iou
from pgen.metrics.networks import hash_file


@register("parsed-miou", in_default=False)
class ParsedMeanIou(DetectorMetric):
    protocol = (
        "map that the parser finds in the result, at the joints that the detector finds, against the map that the "
        f"method painted into, else the asked one; {MeanIou.protocol}; nobody found = all background; {WHO}"
    )
    higher_is_better = True
    needs, heeds = ("parsing",), ("detector", "parser")

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        parser, file = find_annotator(PARSING_ANNOTATORS, options.parser, "parser")
        content = hash_file(find_weights(file, "parser", BUNDLED_PARSER)[0]) if parser == "pgen" else options.parser
        self.weights = {**self.weights, "parser": content}
        self.parser = _load_parser(options.parser, content)

    def rows(self, batch: Batch) -> Tensor:
        assert batch.planned_parsing is not None
        people = self.detector.find_people(batch.generated, batch.poses)
        images = batch.generated.permute(0, 2, 3, 1).cpu().numpy()
        shown = [k for k, person in enumerate(people) if person is not None]
        requests = [
            ParsingRequest(np.ascontiguousarray(images[k]), person.pose, person.silhouette)
            for k, person in enumerate(people)
            if person is not None
        ]
        found = torch.zeros(batch.planned_parsing.shape, dtype=torch.uint8)
        for k, map_ in zip(shown, self.parser.parse(requests), strict=True):
            found[k] = torch.from_numpy(map_.labels)
        return count_intersection_and_union(found, batch.planned_parsing)

    def score(self, sums: Tensor) -> Tensor:
        return mean_iou(sums)


@lru_cache(maxsize=2)
def _load_parser(given: str, content: str) -> ParsingAnnotator:
    parser: ParsingAnnotator = load_annotator(PARSING_ANNOTATORS, *find_annotator(PARSING_ANNOTATORS, given, "parser"))
    return parser
