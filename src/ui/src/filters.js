// Filters that the pages share: the period in the address as local days, and what the service asks.
import { get } from "./api.js";
import { addDays, dayStart, localDate } from "./time.js";

const defaultDays = 30;

/** Days to begin with when the address names none: the latest audit's, else the last month. */
export function defaultPeriod(audits, zone) {
  const latest = latestAudit(audits);
  if (latest) return { from: localDate(latest.period_from, zone), to: lastDay(latest.period_to, zone) };
  const today = localDate(Date.now(), zone);
  return { from: addDays(today, 1 - defaultDays), to: today };
}

export const latestAudit = (audits) => [...audits].sort((a, b) => (a.period_to < b.period_to ? 1 : -1))[0];

/** The last local day of a period that ends before `end`. */
const lastDay = (end, zone) => localDate(Date.parse(end) - 1, zone);

/** Local days, both included, as the service's half-open UTC period. */
export const periodOf = ({ from, to }, zone) => ({ from: dayStart(from, zone), to: dayStart(addDays(to, 1), zone) });

export const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text));

/** The zone in which days are meant: of the chosen site, else of the first. */
export function zoneOf(sites, chosen) {
  return (sites.find(({ site }) => site === chosen) ?? sites[0])?.time_zone ?? "UTC";
}

export const siteName = (sites, id) => sites.find(({ site }) => site === id)?.name ?? id;

export const pointName = (sites, id) =>
  sites.flatMap(({ points }) => points).find(({ point }) => point === id)?.name ?? id;

/** The site a point belongs to. */
export const siteOfPoint = (sites, id) => sites.find(({ points }) => points.some(({ point }) => point === id))?.site ?? "";

/** The audits, for those who may see them; none for the others. */
export const loadAudits = () => get("audits").then(({ audits }) => audits, () => []);
