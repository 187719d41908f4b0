"""The models that the tests' server serves, and what to expect of them."""

from protos import classification_pb2 as pb
from tests.serving.oracle import Choir
from tests.serving.tiny import TinyModel

SHADES_1 = TinyModel("shades", 1, seed=1)
SHADES_2 = TinyModel("shades", 2, seed=2, dense=True)
TONES = TinyModel("tones", 1, seed=3, temperature=2.0, vote=pb.VOTE_MAJORITY)
# Looks at pictures in its own way: grey, without a margin, and at smaller crops.
GREYS = TinyModel("greys", 1, seed=4, side=10, channels=1, margin=0)

DECLARATION = """
ensembles:
  choir:
    vote: mean-logit
    members: [{model: shades, version: 1}, {model: tones, weight: 2}, {model: greys, weight: 0.5}]
labels:
  shades: {production: 1}
"""
CHOIR = Choir((SHADES_1, TONES, GREYS), weights=(1.0, 2.0, 0.5))
