#!/usr/bin/env python3
"""Plays the user: 13_json_service.drive.py PROGRAM."""

import json
import sys

from program import Program, expect


def post(program, document, kind="application/json"):
    body = document if isinstance(document, str) else json.dumps(document)
    status, headers, answer = program.ask("/v1/orders", "POST", body, Content_Type=kind)
    return status, headers, json.loads(answer)


with Program(sys.argv[1], 0) as program:
    order = {"customer": "Ann", "lines": [{"item": "tea", "pieces": 2}, {"item": "mug"}]}
    status, headers, receipt = post(program, order)
    order["lines"][1]["pieces"] = 1
    expect((status, headers["Location"], receipt), (201, "/v1/orders/1", {"number": 1, "of": order}), "an order")
    expect(program.json("/v1/orders/1"), receipt, "the order, asked for")
    status, headers, problem = post(program, {"customer": "", "lines": [{"item": "tea", "pieces": "2"}], "gift": True})
    expect((status, headers["Content-Type"]), (422, "application/problem+json"), "an order with faults")
    expect([e["pointer"] for e in problem["errors"]], ["/customer", "/lines/0/pieces", "/gift"], "its faults")
    expect(post(program, '{"customer"')[0], 400, "what is no JSON")
    expect(post(program, order, "text/plain")[0], 415, "what does not say that it is JSON")
    expect(json.loads(program.body("/v1/orders/2"))["status"], 404, "an order that is not there")
    expect(program.ask("/v1/orders/two")[0], 404, "an order by a name")
    api = program.json("/openapi.json")
    expect(api["paths"]["/v1/orders"]["post"]["summary"], "Takes an order", "the document")
    expect(api["components"]["schemas"]["shop.line"]["properties"]["pieces"]["maximum"], 1000, "a bound in it")
    expect(program.stop(), (0, "stopped\n"), "stop")
