"""/docs: the OpenAPI document as a page to read, without a script or anything from elsewhere."""

import json
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
pre {{ overflow-x: auto }}
td {{ border-top: 1px solid #8886; padding: .3rem .6rem .3rem 0; vertical-align: top }}
</style>
<h1>{title}</h1>
<p>For programs: <a href="openapi.json">openapi.json</a></p>
{sections}
</html>
"""


_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def docs_router(openapi: Callable[[], dict[str, Any]]) -> APIRouter:
    """GET /docs, made of the OpenAPI 3.1 document that `openapi()` gives."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(openapi()), headers=_HEADERS)

    return router


def page(document: Mapping[str, Any]) -> str:
    """HTML of every operation, with its parameters, bodies and answers, and of every schema."""
    operations = [
        _operation(f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_schema(name, schema) for name, schema in document.get("components", {}).get("schemas", {}).items()]
    return _PAGE.format(title=escape(document["info"]["title"]), sections="\n".join([*operations, *schemas]))


def _operation(title: str, operation: Mapping[str, Any]) -> str:
    asked = [
        (escape(each["name"]), f"in the {each['in']}: {_type(each['schema'])}", escape(each.get("description", "")))
        for each in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    asked += [("body", escape(kind), _type(each.get("schema", {}))) for kind, each in body.items()]
    answers = [
        (number, escape(answer.get("description", "")), _types(answer.get("content", {})))
        for number, answer in operation["responses"].items()
    ]
    description = escape(operation.get("description", ""))
    return f"<h2>{escape(title)}</h2><p>{description}</p>{_table(asked)}<h3>Answers</h3>{_table(answers)}"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    fields = [
        (escape(field), _type(shape), escape(shape.get("description", "")))
        for field, shape in schema.get("properties", {}).items()
    ]
    examples = "".join(f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in schema.get("examples", ()))
    description = escape(schema.get("description", ""))
    return f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{description}</p>{_table(fields)}{examples}'


def _types(content: Mapping[str, Any]) -> str:
    return " or ".join(_type(each.get("schema", {})) for each in content.values())


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words of HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "enum" in schema:
        return escape(", ".join(map(str, schema["enum"])))
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(schema.get("format", schema.get("type", "any")))


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"
