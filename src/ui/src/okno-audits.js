// The audits: how far each is, and step by step what was done by whom.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { zoneOf } from "./filters.js";
import { formatNumber, formatPlain, formatShare } from "./format.js";
import { language, named, t } from "./i18n.js";
import { signs } from "./okno-verdict.js";
import { go, link } from "./router.js";
import { stepFacts, stepText } from "./steps.js";
import { formatDay, formatPeriod, formatWhen } from "./time.js";
import "./okno-audit-keys.js";
import "./okno-audit-next.js";
import "./okno-audit-plan.js";
import "./okno-escalations.js";
import "./okno-holds.js";
import "./okno-notice.js";
import "./okno-programmes.js";
import "./okno-progress.js";
import "./okno-proof.js";

class OknoAudits extends PageElement {
  static properties = { pages: { attribute: false }, draws: { attribute: false }, me: { attribute: false }, audits: { state: true }, keys: { state: true }, sites: { state: true }, zone: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 64rem; margin: 0 auto; }
    article { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .75rem; }
    .head { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
    .state { color: var(--accent); font-weight: 600; }
    .facts { display: flex; flex-wrap: wrap; gap: .25rem 2rem; }
    .facts span span { color: var(--muted); margin-right: .375rem; }
    .valid { color: var(--valid); } .invalid { color: var(--invalid); } .undeterminable { color: var(--amber); }
    .links { display: flex; gap: 1.5rem; flex-wrap: wrap; }
    ol { display: grid; }
    li { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: .25rem 1rem; padding: .5rem 0 .5rem 1rem; border-left: 2px solid var(--accent); position: relative; }
    li::before { content: ""; position: absolute; left: calc(-.3125rem - 1px); top: .875rem; width: .625rem; height: .625rem; border-radius: 50%; background: var(--accent); }
    li b { font-weight: 600; }
    .detail { overflow-wrap: anywhere; }
    .many { display: block; columns: 2 18rem; column-gap: 2rem; }
    .many div { break-inside: avoid; display: flex; justify-content: space-between; gap: 1rem; }
    .many dd { text-align: right; flex: none; max-width: 60%; }
    .small { font-size: .75rem; color: var(--muted); }
    dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; }
    dt { color: var(--muted); } dd { overflow-wrap: anywhere; }
    .wait { height: 10rem; }
    @media (max-width: 40rem) { li, dl { grid-template-columns: minmax(0, 1fr); } }
  `];

  async load() {
    const found = this.id ? [await get(`audits/${encodeURIComponent(this.id)}`)] : (await get("audits")).audits;
    const sites = this.pages.includes("surveys") ? (await get("sites")).sites : [];
    const zone = sites.length ? zoneOf(sites) : computerZone();
    const keys = this.draws && !this.id ? (await get("audit-keys")).keys : [];
    return () => { Object.assign(this, { audits: found, keys, sites, zone }); };
  }

  renderResult(audit) {
    const one = (name) => html`<span class="${name} num"><b aria-hidden="true">${signs[name]}</b> ${named("verdict", name)} ${formatNumber(audit[name])}</span>`;
    // An expert stays blind: the service tells them no results.
    return html`<div class="facts">${["valid", "invalid", "undeterminable"].filter((name) => name in audit).map(one)}</div>`;
  }

  /** What a frame of sales or minutes was drawn for. */
  renderAsked({ never_asked: asked }) {
    if (!asked || asked.null_reason !== null) return nothing;
    return html`<div class="facts num"><span><span>${t("audits.never_asked")}</span>${formatShare(asked.value)} [${formatShare(asked.low)}, ${formatShare(asked.high)}]</span></div>`;
  }

  /** Without an interval where there is none: one expert never differed. */
  measureText(name, { value, low, high }, ofVisits) {
    const words = { name: t(ofVisits && name === "positive" ? "measure.positive_asked" : `measure.${name}`), value: formatNumber(value, 3) };
    return low === null ? t("audits.measure_alone", words) : t("audits.measure", { ...words, low: formatNumber(low, 3), high: formatNumber(high, 3) });
  }

  /** Two experts decide a share of each round apart from each other; how far they agree. */
  renderDoubles(audit) {
    const { agreement, double_review: doubles } = audit;
    if (!agreement || !doubles?.doubled) return nothing;
    const measures = ["percent", "kappa", "ac1", "alpha", "positive"].filter((name) => agreement[name].value !== null);
    return html`<div class="facts num"><span><span>${t("audits.double")}</span>${t("audits.double_value", doubles)}</span></div>
      ${measures.length ? html`<div class="facts num"><span><span>${t("audits.agreement")}</span></span>${measures.map((name) => html`
        <span>${this.measureText(name, agreement[name], isOfVisits(audit))}</span>`)}</div>` : nothing}`;
  }

  renderLinks({ audit, repeats, repeated_by: by = [], overlapping = [] }) {
    const others = (ids) => ids.map((id, at) => html`${at ? ", " : ""}<a href=${link("audits", { id })}>${id}</a>`);
    return html`<div class="links">
      ${this.draws ? html`<a href=${link("audits", { id: audit, query: { draw: 1 } })}>${t("audits.draw")} ›</a>` : nothing}
      ${repeats ? html`<span>${t("audits.repeats")} ${others([repeats])}</span>` : nothing}
      ${by.length > 0 ? html`<span>${t("audits.repeated_by")} ${others(by)}</span>` : nothing}
      ${overlapping.length > 0 ? html`<span>${t("audits.overlapping")} ${others(overlapping)}</span>` : nothing}
      ${this.pages.includes("review") ? html`<a href=${link("review", { query: { audit } })}>${t("audits.review")} ›</a>` : nothing}
      ${this.pages.includes("indicators") ? html`<a href=${link("indicators", { query: { audit } })}>${t("audits.indicators")} ›</a>` : nothing}</div>`;
  }

  /** Decisions, not surveys: where two experts decide a part of the sample, there are more of them. */
  renderCapacity({ reviews, decided_a_day: pace, days, footage_until: until }, double) {
    const parts = [double ? t("audits.to_review_double", { n: formatNumber(reviews), share: formatShare(Number(double)) }) : t("audits.to_review", { n: formatNumber(reviews) })];
    if (pace) parts.push(t("audits.pace", { pace: formatPlain(pace), n: days }));
    if (until) parts.push(t("audits.footage_until", { at: formatDay(until, this.zone) }));
    return html`<p class="small num">${parts.join("; ")}</p>`;
  }

  renderAudit(audit) {
    return html`
      <article class="card">
        <div class="head"><h2>${this.id ? audit.title || audit.audit : html`<a href=${link("audits", { id: audit.audit })}>${audit.title || audit.audit}</a>`}</h2>
          <span class="state">${named("step", audit.state)}</span></div>
        <div class="facts num">
          <span><span>${t("audits.period")}</span>${formatPeriod(audit.period_from, audit.period_to, this.zone)}</span>
          ${audit.frame_size ? html`<span><span>${t("audits.frame")}</span>${t(frameCount(audit), { n: audit.frame_size })}</span>` : nothing}
          <span><span>${t(audit.sample ? "audits.sample" : "audits.to_draw")}</span>${formatNumber(audit.sample || (audit.plan?.size ?? 0))}</span>
        </div>
        ${audit.sample ? html`<okno-progress .value=${audit.reviewed ?? 0} .total=${audit.sample} label=${t("audits.reviewed")}></okno-progress>` : nothing}
        ${audit.capacity?.reviews ? this.renderCapacity(audit.capacity, audit.plan?.double) : nothing}
        ${this.renderAsked(audit)}
        ${isOfVisits(audit) || !audit.sample ? nothing : this.renderResult(audit)}
        ${this.renderDoubles(audit)}
        ${this.renderLinks(audit)}
      </article>`;
  }

  /** The report in the reader's language. */
  renderReport({ audit, steps = [] }) {
    if (!this.pages.includes("indicators")) return nothing;
    const issued = steps.filter((step) => step.step === "report").length;
    const address = (format) => `/api/v1/audits/${encodeURIComponent(audit)}/report?format=${format}&lang=${language()}`;
    return html`
      <article class="card report">
        <div class="head"><h2>${t("audits.report")}</h2>
          <span class="small">${issued ? t("audits.report_issued", { n: issued }) : t("audits.report_draft")}</span></div>
        <div class="links">${["html", "pdf", "xlsx", "csv", "json"].map((format) => html`
          <a href=${address(format)} download>${format.toUpperCase()}</a>`)}</div>
      </article>`;
  }

  renderNext(audit) {
    return this.draws ? html`<okno-audit-next .audit=${audit} .zone=${this.zone} @audit-stepped=${this.reload}></okno-audit-next>` : nothing;
  }

  renderPlan() {
    return this.draws ? html`<okno-audit-plan .zone=${this.zone} .audits=${this.audits} .keys=${this.keys} .user=${this.me.user} @audit-planned=${({ detail }) => go("audits", { id: detail })}></okno-audit-plan>` : nothing;
  }

  renderKeys() {
    return this.draws ? html`<okno-audit-keys .keys=${this.keys} .user=${this.me.user} .zone=${this.zone} @keys-changed=${({ detail }) => { this.keys = detail; }}></okno-audit-keys>` : nothing;
  }

  renderHolds({ audit, state }) {
    return this.draws && state !== "planned" ? html`<okno-holds .audit=${audit} .zone=${this.zone}></okno-holds>` : nothing;
  }

  /** Days of a site that a dispute is about, whatever audit they are in. */
  renderAllHolds() {
    return ["auditor", "administrator"].includes(this.me.role) ? html`<okno-holds .sites=${this.sites} .zone=${this.zone}></okno-holds>` : nothing;
  }

  renderProof({ audit, steps = [] }) {
    if (!this.pages.includes("indicators")) return nothing;
    return html`<okno-proof .id=${audit} .signs=${Boolean(this.draws)} .issued=${isReported(steps)} .zone=${this.zone} @audit-stepped=${this.reload}></okno-proof>`;
  }

  renderLooks(audit) {
    return this.pages.includes("indicators") ? html`<okno-escalations .audit=${audit.audit}></okno-escalations>` : nothing;
  }

  /** A line where a line holds it; a plan's many facts one beside the other. */
  renderDetail(detail) {
    const facts = stepFacts(detail, this.zone);
    if (facts.length <= LINE_FACTS) return stepText(detail, this.zone);
    return html`<dl class="many num">${facts.map(([name, value]) => html`<div><dt>${name.replace(/:$/, "")}</dt><dd>${value || "✓"}</dd></div>`)}</dl>`;
  }

  renderSteps(audit) {
    return html`
      <article class="card">
        <h2>${t("audits.steps")}</h2>
        <ol>${(audit.steps ?? []).map((step) => html`
          <li><b>${named("step", step.step)}</b><span class="detail">${this.renderDetail(step.detail)}
            <div class="small num">${formatWhen(step.at, this.zone)} · ${step.author}</div></span></li>`)}</ol>
        <dl class="num">
          ${audit.frame_sha256 ? html`<dt>${t("audits.frame_hash")}</dt><dd>${audit.frame_sha256}</dd>` : nothing}
          ${audit.seed ? html`<dt>${t("audits.seed")}</dt><dd>${audit.seed}</dd>` : nothing}
        </dl>
      </article>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.audits) return html`<div class="skeleton wait"></div>`;
    if (this.id) return html`<a href=${link("audits")}>‹ ${t("audits.back")}</a>
      ${this.audits.map((audit) => html`${this.renderAudit(audit)}${this.renderNext(audit)}${this.renderReport(audit)}${this.renderProof(audit)}${this.renderLooks(audit)}${this.renderHolds(audit)}${this.renderSteps(audit)}`)}`;
    if (!this.pages.includes("indicators")) return html`<h1>${t("nav.audits")}</h1>${this.renderList()}`;
    return html`<h1>${t("nav.audits")}</h1><okno-programmes .draws=${this.draws} .user=${this.me.user} .zone=${this.zone}></okno-programmes>${this.renderPlan()}${this.renderList()}${this.renderKeys()}${this.renderAllHolds()}`;
  }

  renderList() {
    const shown = this.pages.includes("indicators") ? this.audits.filter((audit) => !isDay(audit)) : this.audits;
    if (this.audits.length) return shown.map((audit) => this.renderAudit(audit));
    return this.draws ? nothing : html`<okno-notice .heading=${t("audits.empty")} .text=${t("audits.empty_next")}></okno-notice>`;
  }
}

const LINE_FACTS = 5;

const isReported = (steps) => steps.some(({ step }) => step === "report");

/** A day of a programme: it stands in the programme's table. */
const isDay = ({ steps = [] }) => Boolean(steps[0]?.author?.startsWith("programme:"));

/** Drawn from sales or minutes: nothing of it is valid or invalid. */
const frameCount = ({ plan }) => ((plan?.frame ?? "surveys") === "surveys" ? "surveys.count" : `frame_count.${plan.frame}`);

const isOfVisits = ({ plan }) => ["transactions", "minutes"].includes(plan?.frame);

/** Audit days are days of the sites; who may not ask for sites reads them in the computer's zone. */
const computerZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

customElements.define("okno-audits", OknoAudits);
