"""tensorflow.Example, in which Classify and Regress get what they are asked about."""

from collections.abc import Mapping

from serving.doors.tf_serving.apis import Example, Feature, input_pb2
from serving.errors import InvalidRequest

PICTURE = "image/encoded"
"""The feature that holds a picture's file, by the name that TensorFlow's own records of pictures have for it."""
MAX_EXAMPLES = 1024
"""In one request."""


def examples_of(given: input_pb2.Input) -> list[Example]:
    """Each with the features of the context that all share, if any. Raises InvalidRequest where there are none, or
    more than MAX_EXAMPLES.
    """
    listed = getattr(given, given.WhichOneof("kind") or "example_list")
    if not 1 <= len(listed.examples) <= MAX_EXAMPLES:
        raise InvalidRequest(f"An input has 1 to {MAX_EXAMPLES} examples; {len(listed.examples)} came.")
    if not given.HasField("example_list_with_context"):
        return list(listed.examples)
    context = listed.context.SerializeToString()
    return [Example.FromString(context + each.SerializeToString()) for each in listed.examples]


def picture_of(example: Example) -> bytes:
    """The picture's file: the feature "image/encoded", or else the only one that holds bytes.

    Raises InvalidRequest where there is no such feature, or it does not hold one value.
    """
    features: Mapping[str, Feature] = example.features.feature
    named = [PICTURE] if PICTURE in features else [name for name in features if features[name].HasField("bytes_list")]
    if len(named) != 1 or len(features[named[0]].bytes_list.value) != 1:
        raise InvalidRequest(
            f"An example holds the bytes of a picture's file in its feature {PICTURE!r}, or in its only feature of "
            f"bytes; one with the features {sorted(features)} came. Put one picture into each example."
        )
    return features[named[0]].bytes_list.value[0]
