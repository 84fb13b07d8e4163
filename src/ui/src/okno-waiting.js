// What keeps an audit from being closed: each survey that lacks a decision, and who has it before them.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { formatWhen } from "./time.js";

class OknoWaiting extends PageElement {
  static refreshMs = 30000;
  static properties = { zone: {}, data: { state: true } };

  static styles = [PageElement.styles, css`
    summary { cursor: pointer; } ul { max-height: 20rem; overflow-y: auto; }
    li { display: flex; flex-wrap: wrap; gap: .125rem 1rem; padding: .25rem 0; border-top: 1px solid var(--line); }
    li:first-child { border-top: 0; } .small { font-size: .75rem; color: var(--muted); } .amber { color: var(--amber); }
  `];

  async load() {
    const data = await get(`audits/${encodeURIComponent(this.id)}/waiting`);
    return () => { this.data = data; };
  }

  renderOne(one) {
    const place = [one.site, one.point].filter(Boolean).join(" · ");
    return html`<li class="num"><span>${formatWhen(one.opened_at, this.zone)}</span><span>${place}</span><b>${t(`waiting.${one.what}`)}</b>
      ${one.holder ? html`<span>${t("waiting.with", { name: one.holder })}</span>` : html`<span class="muted">${t("waiting.nobody")}</span>`}
      ${one.skipped ? html`<span class="amber">! ${t("waiting.skipped", { n: one.skipped })}</span>` : nothing}
      ${one.video && one.video !== "linked" ? html`<span class="muted">${named("video", one.video)}</span>` : nothing}</li>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data?.count) return nothing;
    const { count, waiting } = this.data;
    return html`<details ?open=${count <= 10}><summary>${t("next.left", { n: formatNumber(count) })}</summary>
      <ul>${waiting.map((one) => this.renderOne(one))}</ul>
      ${count > waiting.length ? html`<p class="small">${t("waiting.more", { n: formatNumber(count - waiting.length) })}</p>` : nothing}</details>`;
  }
}
customElements.define("okno-waiting", OknoWaiting);
