#!/usr/bin/env python3
"""Holds kept answers against the vendor's models: fields, types, enums, what is required.

    models.py hold answers.jsonl...
    models.py renew --openapi genesys-cloud-openapi.json answers.jsonl...

What is known of the models stands in tests/coverage/genesys_cloud.json: names, types and enumerations of what the simulator serves. `hold` prints
a JSON line for each mismatch and {"answers": n, "without_model": n, "failed": n} at the end. `renew` writes the facts anew from the vendor's
description (Swagger 2.0), which is the vendor's and not in this repository; of its models it takes the fields that these answers have, and what is
required. A field is written as its type (`string`, `date-time`, `[Model]` for a list, `{Model}` for a map), its values after a colon where they are
enumerated, and `?` at the end where the description speaks of null.
"""

import argparse
import json
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
FACTS = os.path.join(ROOT, "tests/coverage/genesys_cloud.json")
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "date-time": str}
DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Models:
    def __init__(self, facts):
        self.facts = facts
        # Fields met, by model: what `renew` keeps.
        self.met = {}

    def answer(self, method, path, status):
        """The type of an answer; None where it has none, and whether it is an answer of the operation's at all."""
        operation = self.facts["operations"].get("%s %s" % (method, path))
        if operation is None:
            return None, False
        if "answers" not in operation:
            return None, True  # in the vendor's SDKs and not in the description
        answers = operation["answers"]
        if str(status) in operation["errors"]:
            return "ErrorBody", True
        if str(status) not in answers and "default" not in answers:
            return None, False
        return answers.get(str(status), answers.get("default")), True

    def mismatches(self, kind, value, at):
        """What is wrong with a value, as sentences that begin with the place."""
        kind, values = kind.rstrip("?"), ""
        if kind[0] not in "[{":
            kind, _, values = kind.partition(": ")
        if kind.startswith("["):
            if not isinstance(value, list):
                yield "%s is %s, not a list" % (at, type(value).__name__)
                return
            for n, item in enumerate(value):
                yield from self.mismatches(kind[1:-1], item, "%s[%d]" % (at, n))
        elif kind.startswith("{"):
            if not isinstance(value, dict):
                yield "%s is %s, not an object" % (at, type(value).__name__)
                return
            for name, held in value.items():
                yield from self.mismatches(kind[1:-1], held, "%s.%s" % (at, name))
        elif kind in TYPES or kind == "any":
            is_number = isinstance(value, bool) and kind in ("integer", "number")
            if kind != "any" and (not isinstance(value, TYPES[kind]) or is_number):
                yield "%s is %s, not %s" % (at, type(value).__name__, kind)
            elif values and value not in values.split("|"):
                yield "%s is %r, not one of %s" % (at, value, values)
            elif kind == "date-time" and not DATE.match(value):
                yield "%s is %r, not a time" % (at, value)
        elif not isinstance(value, dict):
            yield "%s is %s, not %s" % (at, type(value).__name__, kind)
        else:
            yield from self.fields(kind, value, at)

    def fields(self, name, value, at):
        model = self.facts["models"].get(name)
        if model is None:
            yield "%s is a %s, of which nothing is known" % (at, name)
            return
        met = self.met.setdefault(name, set())
        if "fields" not in model:
            return  # anything
        for field in model.get("required", []):
            if value.get(field) is None:
                yield "%s.%s is missing" % (at, field)
        for field, held in value.items():
            met.add(field)
            kind = model["fields"].get(field)
            if kind is None:
                yield "%s.%s is unknown to %s" % (at, field, name)
            elif held is not None:
                yield from self.mismatches(kind, held, "%s.%s" % (at, field))
            # An end has no date where its start has none, though only the start's description says so.
            elif not model["fields"].get("startTime" if field == "endTime" else field, kind).endswith("?"):
                yield "%s.%s is null" % (at, field)


def shape(path):
    """A path with its variable parts alike."""
    return "/".join("{}" if step.startswith("{") else step for step in path.split("/"))


def described(description):
    """All that a description knows, as facts."""

    def kind(model):
        if "$ref" in model:
            name = model["$ref"].split("/")[-1]
            # The description calls a JSON array of anything by its Java class, and that class an object; clients read a list.
            return "[any]" if name == "ArrayNode" else name
        told = model.get("type", "object" if "properties" in model else "any")
        if told == "array":
            return "[%s]" % kind(model.get("items", {}))
        if told == "object" and isinstance(model.get("additionalProperties"), dict):
            return "{%s}" % kind(model["additionalProperties"])
        if told == "string" and model.get("format") == "date-time":
            return "date-time"
        return told + (": " + "|".join(map(str, model["enum"])) if "enum" in model else "")

    def answer(told):
        if "$ref" in told:
            told = description["responses"][told["$ref"].split("/")[-1]]
        return kind(told["schema"]) if "schema" in told else None

    operations = {}
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            query = sorted(one["name"] for one in told.get("parameters", []) if one.get("in") == "query")
            answers = {status: answer(one) for status, one in told["responses"].items()}
            errors = sorted(status for status, kind in answers.items() if kind == "ErrorBody")
            answers = {status: kind for status, kind in answers.items() if kind != "ErrorBody"}
            operations["%s %s" % (method.upper(), path)] = {"query": query, "answers": answers, "errors": errors}
    models = {}
    for name, told in description["definitions"].items():
        null = lambda field: "?" if "null" in field.get("description", "").lower() else ""
        fields = {field: kind(held) + null(held) for field, held in told.get("properties", {}).items()}
        models[name] = {"required": told.get("required", []), "fields": fields} if fields else {}
    return operations, models


def renew(openapi, lines, was):
    with open(openapi, encoding="utf-8") as file:
        description = json.load(file)
    known, every = described(description)
    by_shape = {tuple([*name.split(" ")[:1], shape(name.split(" ")[1])]): name for name in known}
    operations = {}
    with open(os.path.join(ROOT, "docs/fault-table.json"), encoding="utf-8") as file:
        served = [row for row in json.load(file)["operations"] if row["name"].startswith("genesys_cloud.")]
    for row in served:
        name = by_shape.get((row["method"], shape(row["path"])))
        if name:
            operations[name] = known[name]
    for line in lines:
        name = "%s %s" % (line["method"], line["path"])
        operations.setdefault(name, known.get(name, {}))
    models = Models({"operations": known, "models": every})
    for line in lines:
        kind, _ = models.answer(line["method"], line["path"], line["status"])
        if kind and line["body"] != "":
            list(models.mismatches(kind, json.loads(line["body"]), "body"))
    # What is asked with is checked by the simulator, field by field: the events of a call.
    batch = "BatchConversationEventRequest"
    voice = [(field, kind) for field, kind in every[batch]["fields"].items() if not field.startswith("email")]
    models.met[batch] = {field for field, _ in voice}
    for _, kind in voice:
        models.met[kind.strip("[]")] = set(every[kind.strip("[]")]["fields"])
    kept = {}
    for name, met in models.met.items():
        if "fields" not in every[name]:
            kept[name] = {}
            continue
        required, fields = sorted(every[name]["required"]), every[name]["fields"]
        kept[name] = {"required": required, "fields": {field: fields[field] for field in sorted(fields) if field in met or field in required}}
    return {"source": was["source"], "grade": was["grade"], "absent": [one for one in was["absent"] if one in known],
            "operations": operations, "models": kept}


def write(facts):
    """One line for each operation and each model, so that a change is seen where it is."""

    def block(held):
        return "{\n%s\n }" % ",\n".join("  %s: %s" % (json.dumps(name), json.dumps(held[name])) for name in sorted(held))

    with open(FACTS, "w", encoding="utf-8") as file:
        absent = ",\n".join("  %s" % json.dumps(one) for one in facts["absent"])
        file.write('{\n "source": %s,\n "grade": %s,\n' % (json.dumps(facts["source"]), json.dumps(facts["grade"])))
        file.write(' "absent": [\n%s\n ],\n' % absent)
        file.write(' "operations": %s,\n "models": %s\n}\n' % (block(facts["operations"]), block(facts["models"])))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["hold", "renew"])
    parser.add_argument("--openapi")
    parser.add_argument("answers", nargs="+")
    options = parser.parse_args()
    with open(FACTS, encoding="utf-8") as file:
        facts = json.load(file)
    lines = []
    for name in options.answers:
        with open(name, encoding="utf-8") as file:
            lines += [json.loads(line) for line in file]
    if options.what == "renew":
        write(renew(options.openapi, lines, facts))
        return
    models = Models(facts)
    answers, without, failed = 0, 0, 0
    for line in lines:
        answers += 1
        kind, known = models.answer(line["method"], line["path"], line["status"])
        wrong = [] if known else ["%s %s has no answer %s" % (line["method"], line["path"], line["status"])]
        if kind is None:
            without += 1
        elif line["body"] != "":
            wrong += models.mismatches(kind, json.loads(line["body"]), "body")
        failed += bool(wrong)
        if wrong:
            print(json.dumps({"operation": line["operation"], "status": line["status"], "wrong": sorted(set(wrong))}))
    print(json.dumps({"answers": answers, "without_model": without, "failed": failed}))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
