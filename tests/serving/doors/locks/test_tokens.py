"""The tokens file: what it may say, whose a token is, and that no message repeats a token."""

import hashlib
import hmac
import json
import traceback

import pytest

from serving.doors.locks.tokens import holder_of, holders_in

TOKEN = "the-token-of-the-reader"
OTHER = "the-token-of-the-writer"
SHA256 = hashlib.sha256(TOKEN.encode()).hexdigest()


def test_a_token_is_known_by_itself_or_by_its_sha256():
    for entry in ({"token": TOKEN}, {"sha256": SHA256}):
        holders = holders_in(json.dumps([{"name": "writer", "token": OTHER}, {"name": "reader", **entry}]))
        assert holder_of(TOKEN, holders).caller.name == "reader"


@pytest.mark.parametrize("shown", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), SHA256, "reader"])
def test_what_is_no_token_is_nobodys(shown):
    assert holder_of(shown, holders_in(json.dumps([{"name": "reader", "token": TOKEN}]))) is None


@pytest.mark.parametrize("shown", [TOKEN, OTHER, "nobody's"])
def test_a_token_is_compared_with_every_one_whoever_it_belongs_to(monkeypatch, shown):
    holders = holders_in(json.dumps([{"name": "a", "token": TOKEN}, {"name": "b", "token": OTHER}]))
    compared = []

    def compare(shown: bytes, known: bytes) -> bool:
        compared.append(known)
        assert len(shown) == len(known)
        return shown == known

    monkeypatch.setattr(hmac, "compare_digest", compare)  # takes the same time for any two of one length
    holder_of(shown, holders)
    assert compared == [holder.digest for holder in holders]


def test_what_a_caller_may_is_read():
    (holder,) = holders_in(f"- {{name: reader, token: {TOKEN}, models: [a, b], requests_per_second: 2.5}}")
    assert holder.caller.models == {"a", "b"}
    assert holder.requests_per_second == 2.5


def test_who_lists_no_models_may_ask_none_and_who_leaves_them_out_all():
    none, every = holders_in(
        json.dumps([{"name": "none", "token": TOKEN, "models": []}, {"name": "every", "token": OTHER}])
    )
    assert not none.caller.may_ask("a")
    assert every.caller.may_ask("a")


WRONG = {
    "no list": (TOKEN, "valid list"),
    "no YAML": (f"- {{name: {TOKEN}", "no YAML at line"),
    "an empty file": ("", "valid list"),
    "a short token": ("- {name: reader, token: abc}", "0.token"),
    "a sha256 that is none": (f"- {{name: reader, sha256: {TOKEN}}}", "0.sha256"),
    "neither": ("- {name: reader}", "has both or neither"),
    "both": (f"- {{name: reader, token: {TOKEN}, sha256: {SHA256}}}", "has both or neither"),
    "a rate of nothing": (f"- {{name: reader, token: {TOKEN}, requests_per_second: 0}}", "requests_per_second"),
    "a word that means nothing": (f"- {{name: reader, token: {TOKEN}, modles: []}}", "0: Extra inputs"),
    "two of a name": (f"[{{name: a, token: {TOKEN}}}, {{name: a, token: {OTHER}}}]", "each name is one caller's"),
    "two of a token": (f"[{{name: a, token: {TOKEN}}}, {{name: b, sha256: {SHA256}}}]", "each token is one caller's"),
    "a token that is a list": (f"- {{name: reader, token: [{TOKEN}]}}", "0.token"),
    "a token that is a key": (f"- {{name: reader, {TOKEN}: token}}", "0: Extra inputs"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_makes_no_sense_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        holders_in(text)


@pytest.mark.parametrize("text", [text for text, _ in WRONG.values()], ids=WRONG)
def test_no_refusal_repeats_the_token(text):
    with pytest.raises(ValueError) as refused:  # noqa: PT011, any message will do
        holders_in(text)
    told = "".join(traceback.format_exception(refused.value))
    assert TOKEN not in told.replace(text, "")


def test_a_holder_prints_without_its_token():
    assert TOKEN not in repr(holders_in(json.dumps([{"name": "reader", "token": TOKEN}])))
