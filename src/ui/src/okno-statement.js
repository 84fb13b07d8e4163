// One employee's signed statement of a pay period, ready to be printed.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { formatIndex, formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { formatPeriod, formatWhen } from "./time.js";

const indexes = ["ink_personnel", "ink_office", "iel"];
export const stateSigns = { payable: "✓", too_few: "…", not_reliable: "!", under_appeal: "?" };

class OknoStatement extends OknoElement {
  static properties = { statement: { attribute: false } };

  static styles = [OknoElement.styles, css`
    article { padding: 1rem; display: grid; gap: .75rem; }
    header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; align-items: baseline; }
    .state { font-weight: 600; }
    .payable { color: var(--valid); } .too_few, .under_appeal { color: var(--amber); } .not_reliable { color: var(--invalid); }
    table { border-collapse: collapse; width: 100%; }
    caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
    th { text-align: left; font-weight: 400; color: var(--muted); }
    th, td { padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); }
    td { text-align: right; }
    thead th:not(:first-child) { text-align: right; }
    .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    @media print { article.card { border: 0; padding: 0; break-inside: avoid; } }
  `];

  renderIndexes({ indicators }) {
    const shown = indexes.filter((id) => indicators?.[id] && !indicators[id].null_reason);
    if (shown.length === 0) return html`<p class="muted">${t("pay.no_figures")}</p>`;
    return html`<table>
      <thead><tr><th></th><th scope="col">${t("pay.counted")}</th><th scope="col">${t("pay.raw")}</th><th scope="col">n</th></tr></thead>
      <tbody class="num">${shown.map((id) => html`<tr><th scope="row">${t(`kpi.${id}`)}</th>
        <td><b>${formatIndex(indicators[id].excluded)}</b></td><td>${formatIndex(indicators[id].raw)}</td><td>${formatNumber(indicators[id].counts?.n ?? 0)}</td></tr>`)}</tbody></table>`;
  }

  renderAnswers({ counts }) {
    if (!counts) return nothing;
    const parts = ["yes", "no", "unsure", "silent"].map((name) => `${named("answer", name)} ${formatNumber(counts[name] ?? 0)}`);
    return html`<p class="num">${t("pay.surveys", { n: counts.n ?? 0 })} · ${parts.join(" · ")}</p>`;
  }

  render() {
    const s = this.statement;
    return html`<article class="card">
      <header><h2>${s.name || s.employee}${s.name ? html` <span class="muted">${s.employee}</span>` : nothing}</h2>
        <span class="state ${s.state}"><span aria-hidden="true">${stateSigns[s.state]}</span> ${named("pay", s.state)}</span></header>
      <p class="num">${formatPeriod(s.from, s.to, s.zone)} · ${t("pay.period", { id: s.period })}${s.site ? ` · ${s.site}` : ""}</p>
      ${s.reasons?.length ? html`<p>${s.reasons.map((one) => named("pay_reason", one)).join(", ")}</p>` : nothing}
      ${s.state === "too_few" ? html`<p>${t("pay.too_few_why", { min: s.min_n ?? 0 })}</p>` : nothing}
      ${this.renderAnswers(s)}
      ${this.renderIndexes(s)}
      ${s.adjustments?.length ? html`<section><h3>${t("pay.carried")}</h3>${s.adjustments.map((one) => renderChange(one, s.zone))}</section>` : nothing}
      <p class="small">${t("pay.signed", { when: formatWhen(s.closed_at, s.zone) })}<br>SHA-256 ${s.sha256}</p>
    </article>`;
  }
}
customElements.define("okno-statement", OknoStatement);

const signed = (value) => (value > 0 ? "+" : "") + (Number.isInteger(value) ? formatNumber(value) : formatIndex(value));

const nameOf = (id) => (indexes.includes(id) ? t(`kpi.${id}`) : named("pay_count", id));

/** What changed of an earlier period, and why. */
export function renderChange(one, zone) {
  const shown = Object.entries(one.difference).filter(([id]) => indexes.includes(id) || ["n", "undeterminable"].includes(id));
  return html`<div class="change">
    <p class="num">${t("pay.of_period", { id: one.of_period })}: ${shown.map(([id, value]) => `${nameOf(id)} ${value === null ? "–" : signed(value)}`).join(" · ")
      || t("pay.other_figures", { n: Object.keys(one.difference).length })}</p>
    <ul>${one.causes.map((cause) => html`<li class="small muted">${named("pay_cause", cause.cause)}${cause.survey ? html` · ${cause.survey}` : nothing}${cause.at ? html` · ${formatWhen(cause.at, zone)}` : nothing}</li>`)}</ul></div>`;
}
