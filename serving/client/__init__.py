"""What a Python caller imports: one call, typed results, and no TensorFlow.

from serving.client import Client

with Client("localhost:8500") as client:
    answer = client.classify("boot.png", views="ten")
    print(answer.label, answer.probability)
"""

from serving.client.access import Access
from serving.client.aio import AsyncClient
from serving.client.answers import Answer, Model, Prediction
from serving.client.blocking import Client
from serving.client.questions import VIEWS, VOTES, Box, Picture, Question

__all__ = [
    "VIEWS",
    "VOTES",
    "Access",
    "Answer",
    "AsyncClient",
    "Box",
    "Client",
    "Model",
    "Picture",
    "Prediction",
    "Question",
]
