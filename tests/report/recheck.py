"""A bundle rechecked by the published algorithms, with nothing but Python's own library.

usage: recheck.py FOLDER

BagIt as RFC 8493 section 3 asks of a valid bag, and the sample as Rivest's consistent_sampler
describes it. Prints `OK bag` and `OK sample`, or what is wrong.
"""
import csv
import hashlib
import json
import os
import sys


def fail(text):
    print("WRONG", text)
    sys.exit(1)


def manifest(folder, name):
    """path -> hash of a manifest; a path must stay inside the bag."""
    listed = {}
    with open(os.path.join(folder, name), encoding="utf-8") as lines:
        for line in lines:
            value, path = line.rstrip("\n").split(None, 1)
            path = path.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
            if path in listed or path.startswith(("/", "~")) or ".." in path.split("/"):
                fail(f"{name}: {path}")
            listed[path] = value
    return listed


def check_bag(folder):
    with open(os.path.join(folder, "bagit.txt"), encoding="utf-8") as declared:
        if declared.read() != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            fail("bagit.txt")
    payload = manifest(folder, "manifest-sha256.txt")
    there = set()
    for place, _, names in os.walk(os.path.join(folder, "data")):
        there |= {os.path.relpath(os.path.join(place, name), folder) for name in names}
    if set(payload) != there:
        fail(f"payload: {set(payload) ^ there}")
    tags = manifest(folder, "tagmanifest-sha256.txt")
    for path, value in {**payload, **tags}.items():
        with open(os.path.join(folder, path), "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != value:
                fail(f"hash of {path}")
    if "manifest-sha256.txt" not in tags or "bagit.txt" not in tags:
        fail("tag manifest")
    print("OK bag")


def first_ticket(seed, identity):
    seed_hash = hashlib.sha256(seed.encode()).hexdigest()
    number = int.from_bytes(hashlib.sha256((seed_hash + identity).encode()).digest(), "big")
    return "0." + str(number).rjust(64, "0")[::-1]


def check_sample(folder):
    data = os.path.join(folder, "data")
    with open(os.path.join(data, "seed.txt"), encoding="ascii") as file:
        seed = file.read()
    with open(os.path.join(data, "frame.jsonl"), encoding="utf-8") as lines:
        ids = [json.loads(line)["survey"] for line in lines]
    with open(os.path.join(data, "sample.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    drawn = sorted((first_ticket(seed, one), one) for one in ids)[: len(rows)]
    shown = [(row["ticket"], row["survey"].removeprefix("'")) for row in rows]
    if drawn != shown:
        fail("sample")
    print("OK sample")


check_bag(sys.argv[1])
check_sample(sys.argv[1])
