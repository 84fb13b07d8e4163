// How experts decide: for each the own row, for who leads them all of them, by name; gold and calibrations.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post, withQuery } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber, formatShare } from "./format.js";
import { t } from "./i18n.js";
import { replaceRoute } from "./router.js";
import { formatDay } from "./time.js";
import "./okno-filters.js";
import "./okno-notice.js";
import "./okno-verdict.js";

class OknoExperts extends PageElement {
  static properties = { me: { attribute: false }, data: { state: true }, trouble: { state: true }, busy: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 80rem; margin: 0 auto; align-content: start; }
    section { padding: .75rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: right; padding: .375rem .5rem; border-top: 1px solid var(--line); white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; }
    thead th { border-top: 0; font-size: .75rem; color: var(--muted); font-weight: 600; white-space: normal; vertical-align: bottom; }
    .note { font-size: .75rem; color: var(--muted); }
    form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
    form label { display: grid; gap: .125rem; font-size: .75rem; color: var(--muted); flex: 1 1 12rem; }
    li { padding: .375rem 0; border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
    li:first-child { border-top: 0; }
    li .end { margin-left: auto; }
    .trouble { color: var(--invalid); }
    .wait { height: 8rem; }
    @media (max-width: 48rem) { :host { padding: .75rem .5rem; } }
  `];

  get lead() { return Boolean(this.me?.lead); }

  /** Auditors look on. */
  get seesAll() { return this.lead || this.me?.role === "auditor"; }

  async load() {
    const { audit } = this.query;
    const gold = this.lead ? get("gold") : Promise.resolve({ gold: [] });
    const [{ reviewers }, { calibrations }, { gold: items }, { audits }] = await Promise.all([get(withQuery("reviewers", { audit })), get("calibrations"), gold, get("audits")]);
    return () => { this.data = { reviewers, calibrations, gold: items, audits }; };
  }

  async act(path, body) {
    this.busy = true;
    this.trouble = "";
    try {
      await post(path, body);
      await this.reload();
    } catch (error) {
      this.trouble = errorText(error);
    }
    this.busy = false;
  }

  addGold(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    this.act("gold", { survey: form.get("survey").trim(), note: form.get("note").trim() });
  }

  addRound(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    this.act("calibrations", { calibration: form.get("id").trim(), title: form.get("title").trim(), surveys: form.get("surveys").split(/[\s,]+/).filter(Boolean) });
  }

  /** "12 of 14 (86 %)"; a dash where nothing was asked. */
  score(part, items) {
    return items ? t("experts.score", { part: formatNumber(part), items: formatNumber(items), share: formatShare(part / items) }) : "–";
  }

  renderRow(one) {
    const seconds = one.median_active_s === null ? "–" : t("experts.seconds", { seconds: formatNumber(one.median_active_s, 0) });
    return html`<tr><td>${one.name || one.user}</td><td>${formatNumber(one.decided)}</td>
      <td>${one.decided ? formatShare(one.undeterminable_share) : "–"}</td><td>${seconds}</td>
      <td>${this.score(one.double.agreed, one.double.items)}</td><td>${this.score(one.double.upheld, one.double.ruled)}</td>
      <td>${this.score(one.gold.right, one.gold.items)}</td><td>${this.score(one.calibration.right, one.calibration.items)}</td>
      <td>${formatNumber(one.late)} / ${formatNumber(one.undone)} / ${formatNumber(one.skipped)}</td></tr>`;
  }

  renderReport(reviewers) {
    const heads = ["expert", "decided", "unclear", "speed", "agreed", "upheld", "gold", "calibration", "rest"];
    return html`<section class="card"><h2>${t(this.seesAll ? "experts.all" : "experts.own")}</h2>
      <p class="note">${t("experts.about")}</p>
      <div class="scroll"><table class="num"><thead><tr>${heads.map((name) => html`<th>${t(`experts.${name}`)}</th>`)}</tr></thead>
        <tbody>${reviewers.map((one) => this.renderRow(one))}</tbody></table></div></section>`;
  }

  renderRound(round) {
    const open = round.closed_at === null;
    return html`<li><b>${round.title}</b><span class="muted num">${t("experts.round", { n: round.items, day: formatDay(round.at, "UTC") })}</span>
      ${round.results.map((one) => html`<span class="num">${one.name || one.user}: ${one.right === null ? t("experts.so_far", { count: formatNumber(one.decided), items: formatNumber(round.items) }) : this.score(one.right, one.decided)}</span>`)}
      ${round.agreement?.ac1.value != null ? html`<span class="num">${t("experts.ac1", { value: formatNumber(round.agreement.ac1.value, 2) })}</span>` : nothing}
      <span class="end">${open ? (this.lead ? html`<button ?disabled=${this.busy} @click=${() => this.act(`calibrations/${encodeURIComponent(round.calibration)}/close`, {})}>${t("experts.close")}</button>` : html`<span class="muted">${t("experts.open")}</span>`) : nothing}</span></li>`;
  }

  renderRounds(calibrations) {
    return html`<section class="card"><h2>${t("experts.calibrations")}</h2><p class="note">${t("experts.calibrations_about")}</p>
      ${calibrations.length ? html`<ul>${calibrations.map((one) => this.renderRound(one))}</ul>` : html`<p class="muted">${t("experts.no_calibrations")}</p>`}
      ${this.lead ? html`<form @submit=${this.addRound}><label>${t("experts.round_id")}<input name="id" required pattern="[A-Za-z0-9_\\-]{1,64}" autocomplete="off"></label>
        <label>${t("experts.round_title")}<input name="title" maxlength="200" autocomplete="off"></label>
        <label>${t("experts.round_surveys")}<input name="surveys" required autocomplete="off"></label>
        <button ?disabled=${this.busy}>${t("experts.round_add")}</button></form>` : nothing}</section>`;
  }

  renderGold(gold) {
    return html`<section class="card"><h2>${t("experts.gold_items")}</h2><p class="note">${t("experts.gold_about")}</p>
      ${gold.length ? html`<ul>${gold.map((one) => html`<li><b>${one.survey}</b><okno-verdict .verdict=${one.verdict}></okno-verdict>
        <span class="muted">${one.note}</span><span class="num">${t("experts.asked", { right: formatNumber(one.right), asked: formatNumber(one.asked) })}</span>
        <span class="end"><button class="quiet" ?disabled=${this.busy} @click=${() => this.act("gold", { survey: one.survey, retire: true })}>${t("experts.retire")}</button></span></li>`)}</ul>` : html`<p class="muted">${t("experts.no_gold")}</p>`}
      <form @submit=${this.addGold}><label>${t("experts.survey")}<input name="survey" required autocomplete="off"></label>
        <label>${t("experts.note")}<input name="note" maxlength="1000" autocomplete="off"></label>
        <button ?disabled=${this.busy}>${t("experts.gold_add")}</button></form></section>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2].map(() => html`<div class="skeleton wait"></div>`)}`;
    const { reviewers, calibrations, gold, audits } = this.data;
    const options = [["", t("filter.all")], ...audits.map(({ audit, title }) => [audit, title || audit])];
    return html`
      <h1>${t("nav.experts")}</h1>
      <okno-filters .fields=${[{ name: "audit", label: t("experts.audit"), options }]} .values=${{ audit: "", ...this.query }}
        @filter=${(event) => replaceRoute("experts", { query: { ...this.query, ...event.detail } })}></okno-filters>
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      ${reviewers.length ? this.renderReport(reviewers) : html`<okno-notice .heading=${t("experts.empty")} .text=${t("experts.empty_next")}></okno-notice>`}
      ${this.renderRounds(calibrations)}
      ${this.lead ? this.renderGold(gold) : nothing}`;
  }
}
customElements.define("okno-experts", OknoExperts);
