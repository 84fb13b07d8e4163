// The arithmetic of the lanes: spans of footage, the part of the day that is shown, its marks. No page.

const minute = 60000;
export const hour = 60 * minute;

/** Overlapping and touching [from, to) in milliseconds become one. */
export function joinSpans(spans) {
  const sorted = [...spans].sort(([a], [b]) => a - b);
  const joined = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

const ms = Date.parse;
const recordedStates = ["linked", "partial"];
const lostStates = ["no_recording", "no_camera", "expired"];

/** What is known of the footage around the surveys of a lane: {recorded, missing}. A hole in one look is a hole,
 * whatever another look found: missing is drawn over recorded. */
export function footageSpans(surveys) {
  const recorded = [];
  const missing = [];
  for (const { footage } of surveys) {
    if (!footage) continue;
    const span = [ms(footage.from), ms(footage.to)];
    if (recordedStates.includes(footage.state)) recorded.push(span);
    if (lostStates.includes(footage.state)) missing.push(span);
    for (const [from, to] of footage.gaps) if (footage.state === "partial") missing.push([ms(from), ms(to)]);
  }
  return { recorded: joinSpans(recorded), missing: joinSpans(missing) };
}

/** The whole hours that hold everything of the lanes, inside the day. */
export function fitRange(lanes, [dayFrom, dayTo]) {
  const moments = lanes.flatMap(({ surveys, ratings, situations }) => [
    ...surveys.flatMap(({ opened_at: from, closes_at: to }) => [ms(from), ms(to)]),
    ...ratings.map(({ at }) => ms(at)), ...situations.flatMap(({ from, to }) => [ms(from), ms(to)]),
  ]).filter((at) => at >= dayFrom && at < dayTo);
  if (moments.length === 0) return [dayFrom, dayTo];
  let [first, last] = [Infinity, -Infinity];
  for (const at of moments) {
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  const down = dayFrom + Math.floor((first - dayFrom) / hour) * hour;
  return [down, Math.min(dayTo, dayFrom + Math.ceil((last + 1 - dayFrom) / hour) * hour)];
}

/** Make the range `factor` times as long around a moment, inside the day and not below a minute. */
export function zoomRange([from, to], factor, around, [dayFrom, dayTo]) {
  const length = Math.min(dayTo - dayFrom, Math.max(minute, (to - from) * factor));
  const share = Math.min(1, Math.max(0, (around - from) / (to - from)));
  return moveRange([around - share * length, around + (1 - share) * length], 0, [dayFrom, dayTo]);
}

export function moveRange([from, to], by, [dayFrom, dayTo]) {
  const length = to - from;
  const start = Math.round(Math.min(dayTo - length, Math.max(dayFrom, from + by)));
  return [start, Math.round(start + length)];
}

const steps = [minute / 12, minute / 4, minute, 5 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour];

/** Moments for the axis, at most one in every `space` pixels. */
export function ticks([from, to], width, dayFrom, space = 72) {
  const step = steps.find((one) => (one / (to - from)) * width >= space) ?? steps.at(-1);
  const marks = [];
  for (let at = dayFrom + Math.ceil((from - dayFrom) / step) * step; at <= to; at += step) marks.push(at);
  return { step, marks };
}

/** "32400-46800" (seconds since the day began) in the address, and back. */
export const rangeText = ([from, to], dayFrom) => `${Math.round((from - dayFrom) / 1000)}-${Math.round((to - dayFrom) / 1000)}`;

export function rangeOf(text, [dayFrom, dayTo]) {
  const [, from, to] = /^(\d{1,6})-(\d{1,6})$/.exec(text ?? "") ?? [];
  if (from === undefined || Number(to) <= Number(from)) return null;
  return zoomRange([dayFrom + Number(from) * 1000, dayFrom + Number(to) * 1000], 1, dayFrom + Number(from) * 1000, [dayFrom, dayTo]);
}
