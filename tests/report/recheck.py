"""A bundle rechecked by the published algorithms, with nothing but Python's own library.

usage: recheck.py FOLDER

BagIt as RFC 8493 section 3 asks of a valid bag, and the sample as Rivest's consistent_sampler
describes it, by strata and with replacement, too. Prints `OK bag` and `OK sample`, or what is wrong.
"""
import collections
import csv
import hashlib
import heapq
import itertools
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


def next_ticket(ticket, identity):
    """The ticket that one gets that goes back after it was drawn."""
    text = ticket + "0"
    keep = next(i for i in range(2, len(text)) if text[i] != "9")
    tries = itertools.count(1)
    while True:
        digest = hashlib.sha256(f"{ticket}:{next(tries)}".encode()).digest()
        more = str(int.from_bytes(digest, "big")).rjust(64, "0")[::-1]
        if text[:keep] + more > text:
            return text[:keep] + more


def draw(seed, ids, count, back):
    """The first `count` as (ticket, id); `back`: with replacement."""
    heap = [(first_ticket(seed, one), one) for one in ids]
    heapq.heapify(heap)
    drawn = []
    while heap and len(drawn) < count:
        drawn.append(heapq.heappop(heap))
        if back:
            heapq.heappush(heap, (next_ticket(*drawn[-1]), drawn[-1][1]))
    return drawn


def check_sample(folder):
    data = os.path.join(folder, "data")
    with open(os.path.join(data, "seed.txt"), encoding="ascii") as file:
        seed = file.read()
    with open(os.path.join(data, "plan.json"), encoding="utf-8") as file:
        plan = next(s["detail"]["plan"] for s in json.load(file)["steps"] if s["step"] == "plan")
    with open(os.path.join(data, "frame.jsonl"), encoding="utf-8") as lines:
        frame = [json.loads(line) for line in lines]
    with open(os.path.join(data, "sample.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    silent = "silent" if plan.get("silent") == "known" else None
    strata = collections.defaultdict(list)
    for line in frame:
        if line["class"] != silent:
            strata[line["stratum"] if "strata" in plan else ""].append(line["survey"])
    shown = collections.defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row["rank"])):
        stratum = row["stratum"].removeprefix("'") if "strata" in plan else ""
        shown[stratum].append((row["ticket"], row["survey"].removeprefix("'")))
    for stratum, found in shown.items():
        if draw(seed, strata[stratum], len(found), plan.get("with_replacement")) != found:
            fail("sample")
    print("OK sample")


check_bag(sys.argv[1])
check_sample(sys.argv[1])
