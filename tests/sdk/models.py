#!/usr/bin/env python3
"""Holds kept answers against the vendor's models: fields, types, enums, what is required.

    models.py --openapi genesys-cloud-openapi.json answers.jsonl...

The description (Swagger 2.0) is the vendor's and not in this repository. A null is a mismatch unless the field's description speaks of it.
Prints a JSON line for each mismatch and {"answers": n, "without_model": n, "failed": n} at the end.
"""

import argparse
import json
import re
import sys

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Models:
    def __init__(self, description):
        self.description = description

    def of(self, reference):
        found = self.description
        for step in reference.lstrip("#/").split("/"):
            found = found[step]
        return found

    def answer(self, method, path, status):
        """The model of an answer; None where the description has none, and whether it allows the answer at all."""
        if path not in self.description["paths"]:
            return None, True  # the copy is a selection of areas; the SDK, which is the vendor's, has the path
        operation = self.description["paths"][path].get(method.lower())
        if operation is None:
            return None, False
        answers = operation["responses"]
        found = answers.get(str(status)) or answers.get("default")
        if found is None:
            return None, False
        if "$ref" in found:
            found = self.of(found["$ref"])
        return found.get("schema"), True

    def mismatches(self, model, value, at):
        """What is wrong with a value, as sentences that begin with the place."""
        if "$ref" in model:
            # The description calls a JSON array of anything by its Java class, and that class an object; clients read a list.
            model = {"type": "array"} if model["$ref"] == "#/definitions/ArrayNode" else self.of(model["$ref"])
        kind = model.get("type", "object" if "properties" in model else None)
        if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield "%s is %s, not %s" % (at, type(value).__name__, kind)
            return
        if "enum" in model and value not in model["enum"]:
            yield "%s is %r, not one of %s" % (at, value, model["enum"])
        if model.get("format") == "date-time" and not DATE.match(value):
            yield "%s is %r, not a time" % (at, value)
        if kind == "array":
            for n, item in enumerate(value):
                yield from self.mismatches(model.get("items", {}), item, "%s[%d]" % (at, n))
        if kind == "object":
            yield from self.fields(model, value, at)

    def fields(self, model, value, at):
        properties, others = model.get("properties", {}), model.get("additionalProperties")
        for name in model.get("required", []):
            if value.get(name) is None:
                yield "%s.%s is missing" % (at, name)
        for name, held in value.items():
            if name in properties:
                if held is None:
                    # An end has no date where its start has none, though only the start's description says so.
                    told = properties.get("startTime", {}) if name == "endTime" else properties[name]
                    if "null" not in told.get("description", "").lower():
                        yield "%s.%s is null" % (at, name)
                else:
                    yield from self.mismatches(properties[name], held, "%s.%s" % (at, name))
            elif isinstance(others, dict):
                yield from self.mismatches(others, held, "%s.%s" % (at, name))
            elif properties:
                yield "%s.%s is unknown" % (at, name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--openapi", required=True)
    parser.add_argument("answers", nargs="+")
    options = parser.parse_args()
    with open(options.openapi, encoding="utf-8") as file:
        models = Models(json.load(file))
    answers, without, failed = 0, 0, 0
    for name in options.answers:
        with open(name, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        for line in lines:
            answers += 1
            model, known = models.answer(line["method"], line["path"], line["status"])
            wrong = [] if known else ["%s %s has no answer %s" % (line["method"], line["path"], line["status"])]
            if model is None:
                without += 1
            elif line["body"] != "":
                wrong += models.mismatches(model, json.loads(line["body"]), "body")
            failed += bool(wrong)
            if wrong:
                print(json.dumps({"operation": line["operation"], "status": line["status"], "wrong": sorted(set(wrong))}))
    print(json.dumps({"answers": answers, "without_model": without, "failed": failed}))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
