// The lines of a trend and the table for a spreadsheet, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, csvField, csvOf, unitOf } from "../../src/ui/src/series.js";

const figure = (value, more = {}) => ({
  raw: value, excluded: value, band: [value - 0.1, value + 0.1], estimated: null, counts: { n: 50 },
  null_reason: null, estimated_null_reason: "no_audit", flags: [], ...more,
});
const day = (text, one) => ({ group: { day: text }, counts: { n: 50, reviewed: 0, undeterminable: 0 }, excluded: {}, k: 0.5, indicators: { iel: one } });

test("a line breaks where a question, a window or a camera changed, and only there", () => {
  const groups = [day("2026-03-01", figure(0.2)), day("2026-03-02", figure(0.3)), day("2026-03-03", figure(0.4))];
  const [places, excluded] = columnsOf(groups, "iel", "day", [{ at: "2026-03-02T00:00:00.000Z", what: "window" }]);
  assert.deepEqual(excluded, [0.2, null, 0.3, 0.4]);
  assert.equal(places[0], Date.parse("2026-03-01T12:00:00Z") / 1000);
  assert.ok(places[1] > places[0] && places[1] < places[2]);
});

test("a day without surveys is no gap, too few surveys are one", () => {
  const groups = [day("2026-03-01", figure(0.2)), day("2026-03-02", figure(null, { null_reason: "no_surveys", band: null })),
    day("2026-03-03", figure(0.4, { flags: ["too_few"] })), day("2026-03-04", figure(0.5))];
  assert.deepEqual(columnsOf(groups, "iel", "day", [])[1], [0.2, null, 0.5]);
});

test("the ribbon is the interval, or the band of k where there is no estimate", () => {
  const estimated = { value: 0.25, low: 0.2, high: 0.3 };
  const [, , value, low, high] = columnsOf([day("2026-03-01", figure(0.2, { estimated })), day("2026-03-02", figure(0.5, { band: [0.6, 0.4] }))], "iel", "day", []);
  assert.deepEqual([value, low, high], [[0.25, null], [0.2, 0.4], [0.3, 0.6]]);
});

test("a long period is drawn by weeks and months", () => {
  assert.equal(unitOf("2026-03-01", "2026-03-31"), "day");
  assert.equal(unitOf("2026-01-01", "2026-06-30"), "week");
  assert.equal(unitOf("2024-01-01", "2026-06-30"), "month");
});

test("no name becomes a formula in a spreadsheet", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]) assert.match(csvField(text), /^"?'/);
  assert.equal(csvField('Anna "A", till 1'), '"Anna ""A"", till 1"');
  assert.equal(csvField(-0.5), "-0.5");
  assert.equal(csvField(null), "");
});

test("the table has one row for each index of each group", () => {
  const answer = { by: ["day"], from: "2026-03-01", to: "2026-03-03", at: "2026-03-03T00:00:00.000Z", groups: [day("2026-03-01", figure(0.2)), day("2026-03-02", figure(0.3))] };
  const lines = csvOf(answer, () => "=HYPERLINK(1)").trimEnd().split("\r\n");
  assert.equal(lines.length, 3);
  assert.match(lines[1], /^'=HYPERLINK\(1\),2026-03-01,/);
  assert.equal(lines[1].split(",").length, lines[0].split(",").length);
});
