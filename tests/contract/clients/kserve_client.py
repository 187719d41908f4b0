"""KServe's clients against a server of tests/serving/choir.py."""

import checks
import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def grpc_client(at):
    return InferenceGRPCClient(f"127.0.0.1:{at.grpc_port}")


def rest_client():
    return InferenceRESTClient(RESTConfig(protocol="v2"))


def base_of(at):
    return f"http://127.0.0.1:{at.http_port}"


def about_rows(given, model="shades", binary_data=True, **options):
    pictures = InferInput("pictures", list(given.rows.shape), "UINT8")
    pictures.set_data_from_numpy(given.rows, binary_data=binary_data)
    return InferRequest(model, [pictures], **options)


def about_pictures(pictures):
    image = InferInput("image", [2], "BYTES")
    image.set_data_from_numpy(pictures)
    return InferRequest("choir", [image], parameters={"views": "ten", "vote": "mean-logit"})


def tensors_in(response):
    return {output.name: output.as_numpy() for output in response.outputs}


def check_close(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-5)


async def grpc_says_what_is_ready(given):
    async with grpc_client(given) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("shades")
        assert not await client.is_model_ready("absent")


async def rest_says_what_is_ready(given):
    async with rest_client() as client:
        assert await client.is_server_live(base_of(given))
        assert await client.is_server_ready(base_of(given))
        assert await client.is_model_ready(base_of(given), "shades")
        assert not await client.is_model_ready(base_of(given), "absent")


async def grpc_asks_about_rows(given):
    async with grpc_client(given) as client:
        for binary_data in (True, False):
            response = await client.infer(about_rows(given, binary_data=binary_data, request_id="7"))
            check_close(tensors_in(response)["logits"], given.logits)
            assert response.id == "7"


async def rest_asks_about_rows(given):
    async with rest_client() as client:
        for binary_data in (True, False):
            response = await client.infer(
                base_of(given), about_rows(given, binary_data=binary_data, request_id="7"), model_name="shades"
            )
            check_close(tensors_in(response)["logits"], given.logits)
            assert response.id == "7"


async def rest_gets_answers_in_binary(given):
    async with rest_client() as client:
        request = about_rows(given, parameters={"binary_data_output": True})
        response = await client.infer(base_of(given), request, model_name="shades")
        check_close(tensors_in(response)["probabilities"], given.probabilities)


async def grpc_asks_about_pictures(given):
    async with grpc_client(given) as client:
        response = await client.infer(about_pictures(given.pictures))
        check_close(tensors_in(response)["probabilities"], [given.of_ten_views] * 2)


async def rest_asks_about_pictures(given):
    async with rest_client() as client:
        response = await client.infer(base_of(given), about_pictures(given.pictures), model_name="choir")
        check_close(tensors_in(response)["probabilities"], [given.of_ten_views] * 2)


def about_numbers():
    inputs = []
    for name, datatype, array in (
        ("numbers", "INT64", np.array([1, 2])),
        ("points", "FP64", np.array([[1.0, 2.0], [0.25, 0.5]])),
    ):
        inputs.append(InferInput(name, list(array.shape), datatype))
        inputs[-1].set_data_from_numpy(array, binary_data=False)
    return InferRequest("texts", inputs)


async def grpc_asks_a_model_without_a_card(given):
    async with InferenceGRPCClient(f"127.0.0.1:{given.plain_grpc_port}") as client:
        check_close(tensors_in(await client.infer(about_numbers()))["logits"], [1.5, 0.375])


async def rest_asks_a_model_without_a_card(given):
    async with rest_client() as client:
        base = f"http://127.0.0.1:{given.plain_http_port}"
        check_close(tensors_in(await client.infer(base, about_numbers(), model_name="texts"))["logits"], [1.5, 0.375])


def grpc_tells_why_not(given):
    async def ask():
        async with grpc_client(given) as client:
            await client.infer(about_rows(given, model="absent"))

    assert checks.failure_of(ask, grpc.RpcError).code() == grpc.StatusCode.NOT_FOUND


def rest_tells_why_not(given):
    async def ask():
        async with rest_client() as client:
            await client.infer(base_of(given), about_rows(given), model_name="absent")

    failure = checks.failure_of(ask, httpx.HTTPStatusError)
    assert failure.response.status_code == 404
    assert "'absent' is not" in str(failure)


if __name__ == "__main__":
    checks.main(dict(globals()))
