"""Fields of a query become the message that asks so."""

from protos import classification_pb2 as pb
from serving.doors.rest.questions import Question, question_of

FIELDS = {
    "model": "shades",
    "version": "3",
    "views": "multi-scale",
    "vote": "mean-logit",
    "top_k": "2",
    "min_confidence": "0.5",
    "min_views": "five",
    "priority": "bulk",
    "adaptive": "true",
    "with_view_scores": "1",
    "with_member_scores": "true",
}


def test_every_field_is_that_of_the_message():
    assert question_of(FIELDS.items()).about(b"file") == pb.ClassifyRequest(
        model=pb.ModelSpec(name="shades", version=3),
        encoded=b"file",
        views=pb.VIEWS_MULTI_SCALE,
        vote=pb.VOTE_MEAN_LOGIT,
        top_k=2,
        min_confidence=0.5,
        min_views=pb.VIEWS_FIVE,
        priority=pb.PRIORITY_BULK,
        adaptive=True,
        with_view_scores=True,
        with_member_scores=True,
    )


def test_the_message_has_no_field_that_cannot_be_asked_for():
    of_the_message = {field.name for field in pb.ClassifyRequest.DESCRIPTOR.fields} - {"encoded", "tensor"}
    assert {"box" if name == "boxes" else name for name in of_the_message} <= set(Question.model_fields)


def test_what_is_left_out_is_left_to_the_server():
    assert question_of([]).about(b"file") == pb.ClassifyRequest(
        model=pb.ModelSpec(), encoded=b"file", priority=pb.PRIORITY_INTERACTIVE
    )


def test_boxes_are_looked_at_without_being_told_to():
    asked = question_of([("box", "0,.25,0.5,1"), ("box", "0,0,1,1")]).about(b"file")
    assert asked.views == pb.VIEWS_BOXES
    assert asked.boxes[0] == pb.Box(top=0, left=0.25, bottom=0.5, right=1)
    assert len(asked.boxes) == 2
