// Filters that the pages share: the period in the address as local days, and what the service asks.
import { get } from "./api.js";
import { t } from "./i18n.js";
import { addDays, dayStart, localDate } from "./time.js";

const defaultDays = 30;

/** Days to begin with when the address names none: the latest audit's, else the last month. */
export function defaultPeriod(audits, zone) {
  const latest = latestAudit(audits);
  if (latest) return { from: localDate(latest.period_from, zone), to: lastDay(latest.period_to, zone) };
  const today = localDate(Date.now(), zone);
  return { from: addDays(today, 1 - defaultDays), to: today };
}

/**
 * The days that the address asks for: {days}, or with {wrong} in words when it cannot be meant. One end
 * alone is filled in; what somebody wrote is never replaced by other days.
 */
export function askedPeriod({ from, to }, audits, zone) {
  const bad = [from, to].find((text) => text && !isDay(text));
  const days = { from: from ?? "", to: to ?? "" };
  if (bad) return { days, wrong: t("filter.no_date", { text: bad }) };
  if (from && to && from > to) return { days, wrong: t("filter.backwards", { from, to }) };
  if (!from && !to) return { days: defaultPeriod(audits, zone) };
  const today = localDate(Date.now(), zone);
  return { days: { from: from || addDays(to, 1 - defaultDays), to: to || (from > today ? from : today) } };
}

/** The first filter that names what there is not (or not for this person), in words; "" when all are known. */
export function unknownFilter({ site, point }, sites) {
  if (site && !sites.some((one) => one.site === site)) return t("filter.no_site", { id: site });
  if (point && !siteOfPoint(sites, point)) return t("filter.no_point", { id: point });
  return "";
}

export const latestAudit = (audits) => [...audits].sort((a, b) => (a.period_to < b.period_to ? 1 : -1))[0];

/** The last local day of a period that ends before `end`. */
const lastDay = (end, zone) => localDate(Date.parse(end) - 1, zone);

/** Local days, both included, as the service's half-open UTC period. */
export const periodOf = ({ from, to }, zone) => ({ from: dayStart(from, zone), to: dayStart(addDays(to, 1), zone) });

/** A day that a calendar has: the 30th of February is none. */
export const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString().slice(0, 10) === text;

/** The zone in which days are meant: of the chosen site, else of the first. */
export function zoneOf(sites, chosen) {
  return (sites.find(({ site }) => site === chosen) ?? sites[0])?.time_zone ?? "UTC";
}

export const siteName = (sites, id) => sites.find(({ site }) => site === id)?.name ?? id;

export const pointName = (sites, id) =>
  sites.flatMap(({ points }) => points).find(({ point }) => point === id)?.name ?? id;

/** The site a point belongs to. */
export const siteOfPoint = (sites, id) => sites.find(({ points }) => points.some(({ point }) => point === id))?.site ?? "";

/** The audits, for those who may see them; who sees some sites only is not asked: audits cover all of them. */
export const loadAudits = (me) => (me?.sites ? [] : get("audits").then(({ audits }) => audits));
