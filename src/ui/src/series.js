// From the service's groups to the lines of a trend, and to a table that a spreadsheet may open.

/** How fine a trend is drawn: days, weeks or months, so that there are tens of points and not hundreds. */
export function unitOf(from, to) {
  const days = Math.round((Date.parse(to) - Date.parse(from)) / 86400000) + 1;
  return days <= 62 ? "day" : days <= 370 ? "week" : "month";
}

/** Seconds since 1970 at which a piece of calendar is drawn: its first day's noon, whatever the zone. */
export const placeOf = (text) => Date.parse(`${text.length === 7 ? `${text}-01` : text}T12:00:00Z`) / 1000;

/**
 * Columns of one index over time: places, without invalid, estimated, and the ends of the ribbon (the
 * interval where there is one, else the band of k). A line breaks where a series does: a column of
 * nothing stands between the pieces, and in the place of too few surveys.
 */
export function columnsOf(groups, name, unit, breaks) {
  const rows = groups.map((row) => ({ at: placeOf(row.group[unit]), one: row.indicators[name] }))
    .filter(({ one }) => one && one.null_reason !== "no_surveys"); // a day off is no gap
  const cuts = breaks.map(({ at }) => Date.parse(at) / 1000);
  const columns = [[], [], [], [], []];
  rows.forEach(({ at, one }, i) => {
    const before = rows[i - 1]?.at;
    if (before !== undefined && cuts.some((cut) => cut > before && cut <= at)) put(columns, (before + at) / 2, null);
    put(columns, at, one);
  });
  return columns;
}

function put(columns, at, one) {
  const there = one && one.null_reason === null && !one.flags.includes("too_few");
  const estimated = there && typeof one.estimated?.value === "number" ? one.estimated : null;
  const ends = estimated ? [estimated.low, estimated.high] : there ? [...one.band].sort((a, b) => a - b) : [null, null];
  [at, there ? one.excluded : null, estimated?.value ?? null, ...ends].forEach((value, i) => columns[i].push(value));
}

/** A field of CSV. A spreadsheet takes text that begins with = + - @ or a control character for a formula. */
export function csvField(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What is shown, one row an index of a group. nameOf(row) gives the group's own columns. */
export function csvOf(answer, nameOf) {
  const head = ["group", ...answer.by, "from", "to", "indicator", "raw", "excluded", "band_k0", "band_k1", "estimated", "low", "high",
    "n", "k", "reviewed", "undeterminable", "excluded_surveys", "null_reason", "estimated_null_reason", "flags", "fm_gate", "evidence_gate", "as_of"];
  const lines = answer.groups.flatMap((row) => Object.entries(row.indicators).map(([indicator, one]) => [
    nameOf(row.group), ...answer.by.map((word) => row.group[word]), row.from ?? answer.from, row.to ?? answer.to, indicator,
    one.raw, one.excluded, one.band?.[0], one.band?.[1], one.estimated?.value, one.estimated?.low, one.estimated?.high,
    one.counts.n || row.counts.n, row.k, row.counts.reviewed, row.counts.undeterminable,
    Object.values(row.excluded).reduce((sum, n) => sum + n, 0),
    one.null_reason, one.estimated_null_reason, one.flags.join(" "), row.fm_gate, row.evidence_gate, answer.at,
  ]));
  return [head, ...lines].map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n";
}
