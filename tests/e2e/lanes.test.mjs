// The arithmetic behind the lanes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fitRange, footageSpans, joinSpans, moveRange, rangeOf, rangeText, ticks, zoomRange } from "../../src/ui/src/lanes.js";

const iso = (ms) => new Date(ms).toISOString();
const hour = 3600000;
const day = [0, 24 * hour];
const look = (state, from, to, gaps = []) => ({ footage: { state, from: iso(from), to: iso(to), gaps: gaps.map((gap) => gap.map(iso)) } });

test("spans that touch become one", () => {
  assert.deepEqual(joinSpans([[5, 8], [0, 2], [2, 3], [6, 7]]), [[0, 3], [5, 8]]);
});

test("footage is told where it was looked for, with its holes", () => {
  const found = footageSpans([look("linked", 0, 1000), look("partial", 1000, 3000, [[1500, 2000]]), look("no_recording", 5000, 6000), look("pending", 7000, 8000), { footage: null }]);
  assert.deepEqual(found, { recorded: [[0, 3000]], missing: [[1500, 2000], [5000, 6000]] });
});

test("the range holds everything in whole hours, or the whole day when there is nothing", () => {
  const lane = { surveys: [{ opened_at: iso(9.5 * hour), closes_at: iso(9.6 * hour) }], ratings: [{ at: iso(14.2 * hour) }], situations: [] };
  assert.deepEqual(fitRange([lane], day), [9 * hour, 15 * hour]);
  assert.deepEqual(fitRange([{ surveys: [], ratings: [], situations: [] }], day), day);
});

test("zooming keeps the moment under it and stays inside the day", () => {
  assert.deepEqual(zoomRange([8 * hour, 12 * hour], 0.5, 9 * hour, day), [8.5 * hour, 10.5 * hour]);
  assert.deepEqual(zoomRange([0, 12 * hour], 4, 0, day), day);
  const [from, to] = zoomRange([0, 60000], 0.1, 30000, day);
  assert.equal(to - from, 60000);
  assert.deepEqual(moveRange([20 * hour, 23 * hour], 5 * hour, day), [21 * hour, 24 * hour]);
});

test("a range in the address comes back as it was, and nonsense is none", () => {
  assert.deepEqual(rangeOf(rangeText([9 * hour, 10 * hour], 0), day), [9 * hour, 10 * hour]);
  for (const text of ["", "5", "9-8", "x-y", undefined]) assert.equal(rangeOf(text, day), null);
  assert.deepEqual(rangeOf("0-999999", day), day);
});

test("marks of the axis stand apart", () => {
  const { step, marks } = ticks([0, 24 * hour], 1000, 0);
  assert.equal(step, 2 * hour);
  assert.equal(marks.length, 13);
});
