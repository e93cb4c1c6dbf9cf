"""Scores of results, each registered in a file of its own; a new one is such a file and a line here.

Scores are shown in the order of these lines.
"""
# isort: skip_file

from pgen.metrics import ssim as ssim
from pgen.metrics import pixels as pixels
from pgen.metrics import inception_score as inception_score
from pgen.metrics import fid as fid
from pgen.metrics import lpips as lpips
from pgen.metrics import st_lpips as st_lpips
from pgen.metrics import joints as joints
from pgen.metrics import miou as miou
from pgen.metrics import parsed_map as parsed_map
from pgen.metrics import faces as faces
from pgen.metrics import torchvision_inception as torchvision_inception
from pgen.metrics import lite0 as lite0
from pgen.metrics import vgg_distance as vgg_distance
