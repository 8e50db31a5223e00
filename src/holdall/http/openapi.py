"""The OpenAPI 3.1 document of a catalogue. Must not know stores or requests."""

from __future__ import annotations

from typing import Any

from holdall.http.asking import DEPTH_DEFAULT, DEPTH_MAX, LIMIT_DEFAULT, LIMIT_MAX
from holdall.http.catalog import Catalog, Resource
from holdall.http.problems import MEDIA_TYPE, TITLES
from holdall.http.schemas import create_schema, operators, read_schema, type_schema, update_schema

Doc = dict[str, Any]

_LIST_ERRORS = ("400", "406", "429", "500", "503")
_RECORD_ERRORS = (*_LIST_ERRORS, "404")
_WRITE_ERRORS = (*_LIST_ERRORS, "409", "413", "415", "422")
_CHANGE_ERRORS = (*_WRITE_ERRORS, "404", "412", "428")
_MEANINGS = {
    "400": "The request is not understood, or the store does not support it", "404": "There is no such record",
    "406": "The format asked for is not offered", "409": "A unique value is taken, or a reference would break",
    "412": "If-Match or If-None-Match does not hold", "413": "The body is too large", "415": "The body is of a type that is not taken",
    "422": "Values break the rules of the model", "428": "If-Match is required", "429": "Too many requests",
    "500": "An error of the server", "503": "The store is not available, or busy; Retry-After says when to try again",
}  # fmt: skip


def document(catalog: Catalog) -> Doc:
    """The document without `info` and `servers`."""
    paths: Doc = {}
    schemas: Doc = {"Problem": _problem_schema(), "Page": _page_schema()}
    for resource in catalog:
        name = resource.name
        schemas[name] = read_schema(resource)
        schemas[f"{name}Create"] = create_schema(resource)
        schemas[f"{name}Replace"] = create_schema(resource, key_in_url=True)
        schemas[f"{name}Update"] = update_schema(resource)
        schemas[f"{name}List"] = _list_schema(name)
        schemas[f"{name}Search"] = _search_schema(resource)
        paths |= _paths(resource)
    return {
        "openapi": "3.1.0",
        "info": {},
        "tags": [{"name": each.name, **({"description": each.entity.description} if each.entity.description else {})} for each in catalog],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": _shared_parameters(),
            "responses": {code: _problem_response(text) for code, text in _MEANINGS.items()},
            "headers": {"ETag": {"description": "The version of the record, in quotes", "schema": {"type": "string"}}},
        },
    }


def _paths(resource: Resource) -> Doc:
    name, path = resource.name, f"/{resource.path}"
    keys = ",".join(f"{{{key}}}" for key in resource.entity.key)
    item = f"{path}/{keys}"
    shown = [_ref(each) for each in ("fields", "include", "depth", "format")]
    made: Doc = {
        path: {"get": _list_operation(resource), "post": _create_operation(resource)},
        f"{path}/search": {"post": _search_operation(resource)},
        item: {
            "parameters": [_key_parameter(resource, key) for key in resource.entity.key],
            "get": _operation(
                resource, f"get{name}", f"Get one {name}", [*shown, _ref("ifNoneMatch")],
                {"200": _record_response(resource, "The record"), "304": {"description": "It still has the version of If-None-Match"}},
                _RECORD_ERRORS,
            ),
            "put": _write_operation(resource, "put", f"Replace or create one {name}", "Replace", ("application/json",)),
            "patch": _write_operation(
                resource, "patch", f"Change one {name} (RFC 7396)", "Update", ("application/merge-patch+json", "application/json")
            ),
            "delete": _operation(
                resource, f"delete{name}", f"Delete one {name}", [_ref("dryRun"), _ref("ifMatch")],
                {"204": {"description": "Deleted"}}, ("400", "404", "406", "409", "412", "428", "429", "500", "503"),
            ),
        },
    }  # fmt: skip
    for relation_name, relation in resource.relations.items():
        target = resource.target(relation)
        if relation.to_many:
            operation = _list_operation(target)
            operation["responses"]["404"] = {"$ref": "#/components/responses/404"}
        else:
            operation = _operation(
                resource, "", "", shown, {"200": _record_response(target, "The related record")}, _RECORD_ERRORS,
            )  # fmt: skip
        operation |= {"tags": [name], "operationId": f"get{name}_{relation_name}", "summary": f"The {relation_name} of one {name}"}
        made[f"{item}/{relation_name}"] = {"parameters": [_key_parameter(resource, key) for key in resource.entity.key], "get": operation}
    return made


def _operation(resource: Resource, name: str, summary: str, parameters: list[Doc], responses: Doc, errors: tuple[str, ...]) -> Doc:
    answers = {**responses, **{code: {"$ref": f"#/components/responses/{code}"} for code in sorted(errors)}}
    return {"tags": [resource.name], "operationId": name, "summary": summary, "parameters": parameters, "responses": answers}


def _list_operation(resource: Resource) -> Doc:
    shared = [_ref(each) for each in ("where", "sort", "fields", "include", "depth", "limit", "cursor", "offset", "count", "format")]
    listed = {"200": {
        "description": "One page of records",
        "headers": {"Link": {"description": "first, prev and next page (RFC 8288)", "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{resource.name}List"}}},
    }}  # fmt: skip
    made = _operation(
        resource,
        f"list{resource.name}",
        f"List records of {resource.name}",
        [*_condition_parameters(resource), *shared],
        listed,
        _LIST_ERRORS,
    )
    made["description"] = "QUERY (RFC 10008) on this path takes the same body as POST …/search."
    return made


def _search_operation(resource: Resource) -> Doc:
    schema = {"$ref": f"#/components/schemas/{resource.name}List"}
    listed = {"200": {"description": "One page of records", "content": {"application/json": {"schema": schema}}}}
    made = _operation(resource, f"search{resource.name}", f"Search records of {resource.name}", [], listed, (*_LIST_ERRORS, "413", "415"))
    made["requestBody"] = _body(f"{resource.name}Search", ("application/json",))
    return made


def _create_operation(resource: Resource) -> Doc:
    created = _record_response(resource, "The record as it was stored")
    created["headers"]["Location"] = {"description": "The URL of the record", "schema": {"type": "string"}}
    responses = {"201": created, "200": _record_response(resource, "Of a dry run: the record as it would be")}
    made = _operation(
        resource, f"create{resource.name}", f"Create one {resource.name}", [_ref("dryRun"), _ref("prefer")], responses, _WRITE_ERRORS
    )
    made["requestBody"] = _body(f"{resource.name}Create", ("application/json",))
    return made


def _write_operation(resource: Resource, method: str, summary: str, body: str, media_types: tuple[str, ...]) -> Doc:
    responses = {"200": _record_response(resource, "The record as it is now"), "204": {"description": "Done, with Prefer: return=minimal"}}
    parameters = [_ref("dryRun"), _ref("prefer"), _ref("ifMatch")]
    if method == "put":
        responses["201"] = _record_response(resource, "The record as it was created")
        parameters.append(_ref("ifNoneMatch"))
    made = _operation(resource, f"{method}{resource.name}", summary, parameters, responses, _CHANGE_ERRORS)
    made["requestBody"] = _body(f"{resource.name}{body}", media_types)
    return made


def _body(schema: str, media_types: tuple[str, ...]) -> Doc:
    content = {each: {"schema": {"$ref": f"#/components/schemas/{schema}"}} for each in media_types}
    return {"required": True, "content": content}


def _record_response(resource: Resource, text: str) -> Doc:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{resource.name}"}}}
    headers: Doc = {} if resource.entity.version_field is None else {"ETag": {"$ref": "#/components/headers/ETag"}}
    return {"description": text, "headers": headers, "content": content}


def _ref(name: str) -> Doc:
    return {"$ref": f"#/components/parameters/{name}"}


def _key_parameter(resource: Resource, name: str) -> Doc:
    schema = type_schema(resource.entity.by_name[name].type, reading=True)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _condition_parameters(resource: Resource) -> list[Doc]:
    made: list[Doc] = []
    for name, field in resource.fields.items():
        known = operators(field.type)
        text = f"Equal to. With another operator: {', '.join(f'{name}__{each}' for each in known if each != 'eq')}."
        schema = (
            type_schema(field.type, reading=True)
            if field.type.kind not in ("json", "list", "set", "dict", "record")
            else {"type": "string"}
        )
        made.append({"name": name, "in": "query", "description": text, "schema": schema, "x-operators": known})
    return made


def _shared_parameters() -> Doc:
    def query(name: str, text: str, schema: Doc) -> Doc:
        return {"name": name, "in": "query", "description": text, "schema": schema}

    def header(name: str, text: str) -> Doc:
        return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}

    return {
        "where": query("where", 'A condition as JSON: {"or": [{"age": {"gte": 18}}, {"vip": true}]}', {"type": "string"}),
        "sort": query("sort", "Fields to sort by, with - for descending: -age,name", {"type": "string"}),
        "fields": query("fields", "Fields to answer, through relations too: id,customer.name", {"type": "string"}),
        "include": query("include", "Relations to answer: customer,lines(limit:5,sort:-qty)", {"type": "string"}),
        "depth": query(
            "depth", "How many relations deep include and fields may go",
            {"type": "integer", "minimum": 0, "maximum": DEPTH_MAX, "default": DEPTH_DEFAULT},
        ),
        "limit": query("limit", "Records on a page", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}),
        "cursor": query("cursor", "next_cursor or prev_cursor of a page of the same query", {"type": "string"}),
        "offset": query("offset", "Records to leave out; cursors are faster and steadier", {"type": "integer", "minimum": 0, "default": 0}),
        "count": query("count", "Adds the total to the page", {"type": "string", "enum": ["exact", "estimated"]}),
        "format": query("format", "The format of the answer", {"type": "string", "enum": ["json"]}),
        "dryRun": query("dry_run", "Check and run everything, then roll back", {"type": "boolean", "default": False}),
        "ifMatch": header("If-Match", "Only if the record has this ETag"),
        "ifNoneMatch": header("If-None-Match", "GET: only if the record has another ETag. PUT with *: only if there is no record"),
        "prefer": header("Prefer", "return=minimal: no body in the answer"),
    }  # fmt: skip


def _list_schema(name: str) -> Doc:
    return {
        "type": "object",
        "required": ["data", "page"],
        "properties": {
            "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "page": {"$ref": "#/components/schemas/Page"},
        },
    }


def _search_schema(resource: Resource) -> Doc:
    texts = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    example = next(iter(resource.fields))
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "where": {
                "type": "object",
                "description": "Members are fields or paths with a value, or with operators and their operands; and, or, not",
            },
            "sort": texts,
            "fields": texts,
            "include": texts,
            "depth": {"type": "integer", "minimum": 0, "maximum": DEPTH_MAX},
            "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX},
            "cursor": {"type": ["string", "null"]},
            "offset": {"type": "integer", "minimum": 0},
            "count": {"type": ["string", "null"], "enum": ["exact", "estimated", None]},
        },
        "examples": [{"where": {example: {"is_null": False}}, "sort": [f"-{example}"], "limit": 10}],
    }


def _page_schema() -> Doc:
    return {
        "type": "object",
        "required": ["limit", "has_more", "next_cursor", "prev_cursor"],
        "properties": {
            "limit": {"type": "integer"},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
            "prev_cursor": {"type": ["string", "null"]},
            "total": {"type": "integer"},
            "total_kind": {"type": "string", "enum": ["exact", "estimated"]},
        },
    }


def _problem_schema() -> Doc:
    fault = {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "hint": {"type": "string"},
            "parameter": {"type": "string", "description": "The parameter of the URL"},
            "pointer": {"type": "string", "description": "Where in the body (RFC 6901)"},
            "header": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "examples": sorted(TITLES)},
            "detail": {"type": "string"},
            "hint": {"type": "string"},
            "errors": {"type": "array", "items": fault},
            "request_id": {"type": "string"},
        },
    }


def _problem_response(text: str) -> Doc:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
