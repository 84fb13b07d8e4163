// Times of the page. The service speaks UTC; people read the site's zone, always with its name.
import { language, t as say } from "./i18n.js";

const made = new Map();

function formatter(zone, options) {
  const key = `${language()}|${zone}|${JSON.stringify(options)}`;
  if (!made.has(key)) {
    const locale = language() === "ru" ? "ru-RU" : "en-GB";
    made.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone || "UTC", hourCycle: "h23", ...options }));
  }
  return made.get(key);
}

/** A moment that is missing is a dash, not a page that does not open. */
function print(at, zone, options) {
  const date = new Date(at ?? NaN);
  return Number.isNaN(date.getTime()) ? "–" : formatter(zone, options).format(date);
}

const day = { day: "numeric", month: "short", year: "numeric" };
const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

// The Russian year comes with " г.", which a table of times does not need.
export const formatDay = (at, zone) => print(at, zone, day).replace(/\sг\.$/, "");
export const formatClock = (at, zone) => print(at, zone, clock);
export const formatClockMs = (at, zone) => print(at, zone, { ...clock, fractionalSecondDigits: 3 });

/** Short name of the zone at that moment: "MSK", "GMT+3", "UTC". */
export function zoneName(at, zone) {
  if (Number.isNaN(new Date(at ?? NaN).getTime())) return "";
  const parts = formatter(zone, { timeZoneName: "short", hour: "numeric" }).formatToParts(new Date(at));
  return parts.find((piece) => piece.type === "timeZoneName")?.value ?? zone;
}

/** "10 Mar 2026, 14:03:20 GMT+3" */
export const formatWhen = (at, zone) =>
  `${formatDay(at, zone)}, ${formatClock(at, zone)} ${zoneName(at, zone)}`;

const isMidnight = (at, zone) => formatClock(at, zone) === "00:00:00";

/** [from, to): whole days as days, anything else to the second: "10 Mar 2026, 10:00:00 – 10:30:00 GMT+3" */
export function formatPeriod(from, to, zone) {
  const last = new Date(to).getTime() - 1;
  const [first, end] = [formatDay(from, zone), formatDay(last, zone)];
  if (isMidnight(from, zone) && isMidnight(to, zone)) return first === end ? first : `${first} – ${end}`;
  return first === end ? `${first}, ${formatClock(from, zone)} – ${formatClock(to, zone)} ${zoneName(from, zone)}`
    : `${formatWhen(from, zone)} – ${formatWhen(to, zone)}`;
}

/** "4:12" from milliseconds; never below zero. */
export function formatLeft(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** "3 min", "5 h", "2 d": the age of a thing as people say it. */
export function formatAge(ms) {
  const minutes = Math.max(0, Math.round(ms / 60000));
  if (minutes < 60) return say("age.minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? say("age.hours", { count: hours }) : say("age.days", { count: Math.floor(hours / 24) });
}

/** Local wall clock minus UTC at that moment in that zone, in milliseconds. */
function zoneOffsetMs(at, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", {
    timeZone: zone || "UTC", hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", ...clock,
  }).formatToParts(new Date(at)).map((piece) => [piece.type, Number(piece.value)]));
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return wall - Math.floor(at / 1000) * 1000;
}

/** The moment a local date begins in a zone, as ISO UTC. date: "2026-03-10". */
export function dayStart(date, zone) {
  const wall = Date.parse(`${date}T00:00:00Z`);
  let at = wall - zoneOffsetMs(wall, zone);
  at = wall - zoneOffsetMs(at, zone);
  return new Date(at).toISOString();
}

/** The local date of a moment: "2026-03-10". */
export function localDate(at, zone) {
  return new Date(Date.parse(new Date(at).toISOString()) + zoneOffsetMs(new Date(at).getTime(), zone))
    .toISOString().slice(0, 10);
}

export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10);
}
