// Closer looks that an audit proposes: accepted they wait for the experts, outside every sample.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, post, withQuery } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber, formatShare } from "./format.js";
import { t } from "./i18n.js";

class OknoEscalations extends OknoElement {
  static properties = { audit: {}, rows: { state: true }, problem: { state: true }, asking: { state: true }, busy: { state: true } };

  static styles = [OknoElement.styles, css`
    :host { display: contents; } /* nothing, and no gap, where there is nothing */
    section { padding: 1rem; display: grid; gap: .5rem; }
    li { border-top: 1px solid var(--line); padding: .5rem 0; display: grid; gap: .25rem; }
    .line { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
    .end { margin-left: auto; font-weight: 600; }
    .proposed { color: var(--amber); } .accepted { color: var(--accent); } .declined, .note { color: var(--muted); } .done { color: var(--valid); }
    .note { font-size: .75rem; }
    form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; flex: 1 1 12rem; }
    .problem { color: var(--invalid); }
  `];

  willUpdate(changed) {
    if (changed.has("audit")) this.load();
  }

  async load() {
    try {
      this.rows = (await get(withQuery("escalations", { audit: this.audit }))).escalations;
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  async decide(event, one) {
    event.preventDefault();
    const accept = event.submitter.value === "accept";
    const reason = new FormData(event.target).get("reason").trim();
    this.busy = true;
    this.problem = "";
    try {
      await post(`escalations/${one.escalation}`, { accept, reason });
      await this.load();
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  renderOne(one) {
    const cut = one.scope.indexOf(":");
    return html`<li><div class="line"><b>${t(`escalation.${one.scope.slice(0, cut)}`, { id: one.scope.slice(cut + 1) })}</b>
        <span class="num">${t("escalation.found", { invalid: formatNumber(one.invalid), reviewed: formatNumber(one.reviewed), low: formatShare(one.low) })}</span>
        <span>→ ${t(`escalation.${one.rule}`)}</span><span class="end ${one.state}">${t(`escalation.${one.state}`)}</span></div>
      ${one.items ? html`<div class="num">${t("escalation.progress", { items: formatNumber(one.items), decided: formatNumber(one.decided), found: formatNumber(one.found) })}</div>` : nothing}
      ${one.reason ? html`<div class="note">${one.by}: ${one.reason}</div>` : nothing}
      ${one.state === "proposed" ? html`<form @submit=${(event) => this.decide(event, one)}><label>${t("attribution.reason")}<input name="reason" required maxlength="1000" autocomplete="off"></label>
        <button class="primary" value="accept" ?disabled=${this.busy}>${t("escalation.accept")}</button>
        <button value="decline" ?disabled=${this.busy}>${t("escalation.decline")}</button></form>` : nothing}</li>`;
  }

  render() {
    if (this.problem && !this.rows) return html`<p class="problem" role="alert">${this.problem}</p>`;
    if (!this.rows?.length) return nothing;
    return html`<section class="card"><h2>${t("escalation.title")}</h2><p class="note">${t("escalation.about")}</p>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <ul>${this.rows.map((one) => this.renderOne(one))}</ul></section>`;
  }
}
customElements.define("okno-escalations", OknoEscalations);
