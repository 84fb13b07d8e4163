// Numbers as people read them, in the page's language.
import { language, t } from "./i18n.js";

const locale = () => (language() === "ru" ? "ru-RU" : "en-GB");

export const formatNumber = (value, digits = 0) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .format(value).replace(/^-/, "−");

/** How far a clock is off, in words: "fast by 37.0 s", "slow by 1.2 s", "right". */
export function formatOffset(ms, digits = 1) {
  const seconds = Math.round(ms / 10 ** (3 - digits)) / 10 ** digits;
  return seconds === 0 ? t("offset.right") : t(seconds > 0 ? "offset.fast" : "offset.slow", { seconds: formatNumber(Math.abs(seconds), digits) });
}

/** The same with how far that may be wrong. */
export const formatOffsetWithin = (ms, unsureMs, digits = 1) =>
  t("devices.offset", { said: formatOffset(ms, digits), unsure: formatNumber(unsureMs / 1000, digits) });

/** A number with the digits that it has. */
export const formatPlain = (value) => new Intl.NumberFormat(locale(), { maximumFractionDigits: 9 }).format(value);

export const formatShare = (value) =>
  value === null || value === undefined ? "–" : `${formatNumber(value * 100, 1)} %`;

/** Indexes are printed with three digits; null is a dash. */
export const formatIndex = (value) => (value === null || value === undefined ? "–" : formatNumber(value, 3));

export function formatBytes(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1048576) return `${formatNumber(bytes / 1024)} KB`;
  return bytes < 1073741824 ? `${formatNumber(bytes / 1048576, 1)} MB` : `${formatNumber(bytes / 1073741824, 1)} GB`;
}
