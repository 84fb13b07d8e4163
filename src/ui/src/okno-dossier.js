// Everything known about one survey: its picture, what the devices said, who decided what.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { pointName, siteName, zoneOf } from "./filters.js";
import { formatBytes, formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { answerOf } from "./okno-answer.js";
import { loadReasons, reasonName } from "./reasons.js";
import { link } from "./router.js";
import { formatClockMs, formatWhen } from "./time.js";
import "./okno-appeal-form.js";
import "./okno-attribution.js";
import "./okno-commission.js";
import "./okno-holds.js";
import "./okno-overlay.js";
import "./okno-notice.js";
import "./okno-player.js";
import "./okno-target.js";
import "./okno-void.js";
import "./okno-verdict.js";

class OknoDossier extends PageElement {
  static properties = { data: { state: true }, me: { attribute: false } };

  static styles = [PageElement.styles, css`
    :host { --stage-height: calc(100dvh - 14rem); padding: .5rem 1rem 2rem; max-width: 120rem; margin: 0 auto; }
    .head { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin: .5rem 0 .75rem; }
    .head h1 { font-size: 1rem; }
    .page { display: grid; grid-template-columns: minmax(0, 1fr) 22rem; gap: 1rem; align-items: start; }
    .side { display: grid; gap: 1rem; }
    section { padding: .75rem; }
    section h2 { font-size: .875rem; margin-bottom: .5rem; }
    dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem .75rem; }
    dt { color: var(--muted); }
    dd { overflow-wrap: anywhere; }
    li { padding: .375rem 0; border-top: 1px solid var(--line); display: grid; gap: .125rem; }
    li:first-child { border-top: 0; padding-top: 0; }
    .line { display: flex; justify-content: space-between; gap: .5rem; }
    .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .below { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1rem; margin-top: 1rem; }
    .stills { margin-top: .5rem; }
    .stills img { width: 10rem; max-width: 100%; border-radius: .25rem; display: block; }
    .wait { height: 60vh; }
    @media (max-width: 60rem) { :host { --stage-height: none; padding: .5rem; } .page { grid-template-columns: minmax(0, 1fr); } }
  `];

  onKey(event) {
    if (isTyping(event) || isPressing(event)) return;
    if (this.renderRoot.querySelector("okno-player")?.command(keyName(event))) event.preventDefault();
  }

  async load() {
    const [dossier, { sites }] = await Promise.all([get(`surveys/${encodeURIComponent(this.id)}`), get("sites"), loadReasons()]);
    return () => { this.data = { ...dossier, zone: zoneOf(sites, dossier.survey.site), sites }; };
  }

  place() {
    const { survey, sites } = this.data;
    return `${siteName(sites, survey.site)}, ${pointName(sites, survey.point)}`;
  }

  nameOf(kind, id) {
    return this.data.names.find((one) => one.kind === kind && one.id === id)?.name ?? id;
  }

  /** A name where there is one, with the id in its title. */
  renderName(kind, id) {
    return html`<span title=${id}>${this.nameOf(kind, id)}</span>`;
  }

  found(kind) {
    return (this.data.evidence ?? []).find((one) => one.kind === kind && !one.destroyed);
  }

  /** Footage that is linked lies in the archive until somebody asks for it. */
  whyNoPicture() {
    const { survey, link: footage } = this.data;
    const state = footage?.state ?? survey.video ?? "none";
    return state === "linked" || state === "partial" ? t("dossier.not_fetched", { id: survey.id }) : named("video", state);
  }

  renderPicture() {
    const { survey, zone } = this.data;
    const clip = this.found("clip");
    const still = this.found("still");
    const alt = still && t("still.alt", { place: this.place(), when: formatWhen(still.frame_at, zone) });
    const begin = clip && Math.max(0, Date.parse(survey.opened_at) - Date.parse(clip.got_from) - 10000);
    return html`
      <okno-player .clip=${clip ? { view_offset_ms: begin, ...clip } : null} .survey=${{ ...survey, time_zone: zone }}
        .still=${!clip && still ? { ...still, url: still.view?.url ?? still.url, alt } : null}>
        <div slot="none"><h2>${t("review.no_picture")}</h2><p>${this.whyNoPicture()}</p></div>
      </okno-player>
      ${clip && still ? html`<div class="stills"><a href=${still.view?.url ?? still.url} target="_blank" rel="noreferrer"><img src=${still.view?.url ?? still.url} alt=${alt}></a></div>` : nothing}`;
  }

  renderFacts() {
    const { survey, zone, link: footage } = this.data;
    const rows = [
      [t("review.opened"), formatWhen(survey.opened_at, zone)],
      [t("dossier.closes"), formatWhen(survey.closes_at, zone)],
      [t("surveys.place"), this.place()],
      [t("surveys.employee"), survey.employee ? this.renderName("employee", survey.employee) : t("kpi.unassigned")],
      [t("dossier.question"), survey.question ? this.renderName("question", survey.question) : "–"],
      [t("surveys.answer"), html`<okno-answer .answer=${answerOf(survey)}></okno-answer>`],
      survey.answered_at ? [t("dossier.answered"), formatWhen(survey.answered_at, zone)] : null,
      survey.force_majeure ? [t("answer.fm"), t("review.force_majeure")] : null,
      [t("surveys.footage"), named("video", footage?.state ?? survey.video ?? "none")],
      footage?.camera ? [t("dossier.camera"), `${footage.camera_name || footage.camera} · ${t("review.clock", { seconds: formatNumber((footage.uncertainty_ms ?? 0) / 1000, 1) })}`] : null,
      survey.flags?.length ? [t("dossier.flags"), survey.flags.map((flag) => named("flag", flag)).join(", ")] : null,
    ];
    return html`<dl class="num">${rows.filter(Boolean).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
  }

  renderReview(review) {
    const part = t(`part.${Math.min(review.part ?? 0, 3)}`);
    return html`
      <li><span class="line"><okno-verdict .verdict=${review.verdict}></okno-verdict><span class="small">${review.user}</span></span>
        ${review.part || review.origin === "targeted" ? html`<span class="small">${[review.origin === "targeted" ? named("origin", "targeted") : "", review.part ? part : ""].filter(Boolean).join(" · ")}</span>` : nothing}
        ${review.reason ? html`<span>${reasonName(review.reason)}</span>` : nothing}
        ${review.comment ? html`<span>${t("review.question", { text: review.comment })}</span>` : nothing}
        <span class="small num">${review.at ? formatWhen(review.at, this.data.zone) : ""}</span></li>`;
  }

  renderAppeal(one) {
    return html`
      <li><span class="line"><b>${t(one.outcome ? `appeals.${one.outcome}` : "appeals.open")}</b><span class="small">${one.user}</span></span>
        <span>${t(`appeals.asks_${one.asks}`)}: ${t("review.question", { text: one.comment })}</span>
        <span class="small num">${formatWhen(one.at, this.data.zone)}</span>
        ${one.answer ? html`<span>${t("review.question", { text: one.answer })}</span>
          <span class="small num">${one.decided_by} · ${formatWhen(one.decided_at, this.data.zone)}</span>` : nothing}</li>`;
  }

  renderAppeals() {
    const { survey, appeals = [] } = this.data;
    const may = this.me?.role === "manager" && appeals.every(({ outcome }) => outcome === "withdrawn");
    if (appeals.length === 0 && !may) return nothing;
    return html`<section class="card"><h2>${t("appeals.history")}</h2>
      ${appeals.length ? html`<ul>${appeals.map((one) => this.renderAppeal(one))}</ul>` : nothing}
      ${may ? html`<okno-appeal-form .id=${survey.id} .verdict=${survey.validity} ?fm=${survey.force_majeure} @appealed=${this.reload}></okno-appeal-form>` : nothing}</section>`;
  }

  renderEvent(event) {
    return html`<li class="num"><span class="line"><b>${named("event", event.kind)}</b><span>${formatClockMs(event.time, this.data.zone)}</span></span>
      <span class="small">${event.device}.${event.boot}.${event.seq}</span></li>`;
  }

  renderEvidence(one) {
    return html`<li><span class="line"><b>${named("dossier", one.kind)}</b>
        ${one.destroyed ? html`<span class="destroyed">${t("dossier.destroyed", { when: formatWhen(one.destroyed.at, this.data.zone), rule: one.destroyed.rule })}</span>`
          : html`<a href=${one.url} target="_blank" rel="noreferrer">${t("dossier.download")} · ${formatBytes(one.bytes ?? 0)}</a>`}</span>
      ${one.kind === "clip" && !one.destroyed ? html`<span class="small"><a href=${one.url.replace(/\.mp4$/u, ".text.mp4")} target="_blank" rel="noreferrer">${t("dossier.copy_text")}</a></span>` : nothing}
      <span class="small">SHA-256 ${one.sha256}</span>
      ${one.picture_flags?.length ? html`<span class="small">${t("dossier.pictures")}: ${one.picture_flags.map((flag) => t(`picture.${flag}`)).join(", ")}</span>` : nothing}
      ${one.sidecar ? html`<span class="small"><a href=${one.sidecar.url} target="_blank" rel="noreferrer">${t("dossier.sidecar")}</a> ${one.sidecar.sha256}</span>` : nothing}</li>`;
  }

  /** A value as a late event or a correction left it: times as times, the rest as it is stored. */
  renderValue(field, value) {
    if (value === null || value === "" || value === undefined) return "–";
    if (/_at$/.test(field)) return formatClockMs(value, this.data.zone);
    return ["employee", "question"].includes(field) ? this.renderName(field, value) : String(value);
  }

  renderChange(change) {
    const when = html`<span class="small num">${change.at ? formatWhen(change.at, this.data.zone) : ""}</span>`;
    if (change.proposal !== undefined) return html`<li><span><b>${t(change.voided ? "void.declined" : "void.declined_back")}</b>: ${change.reason}</span>
      <span class="small">${change.author} + ${change.answer.user}${change.answer.note ? ` · ${change.answer.note}` : ""}</span>${when}</li>`;
    if (change.second !== undefined) return html`<li><span><b>${t(change.voided ? "dossier.voided" : "dossier.unvoided")}</b>: ${change.reason}
        ${change.import === null ? nothing : html`<span class="small">${t("dossier.with_import", { number: change.import })}</span>`}</span>
      <span class="small">${change.author} + ${change.second}</span>${when}</li>`;
    const fields = Object.entries(change.changes ?? {});
    return html`<li><b>${t(`dossier.${change.what}`)}</b>
      ${fields.map(([field, [was, became]]) => html`<span class="num">${t(`field.${field}`)}: ${this.renderValue(field, was)} → ${this.renderValue(field, became)}</span>`)}
      ${when}</li>`;
  }

  renderList(title, entries, each, none) {
    return html`<section class="card"><h2>${title}</h2>
      ${entries?.length ? html`<ul>${entries.map(each)}</ul>` : html`<p class="muted">${none}</p>`}</section>`;
  }

  renderComment({ text, tags, user, at }) {
    return html`<li><span>${[text, tags.map((tag) => named("tag", tag)).join(", ")].filter(Boolean).join(" · ")}</span>
      <span class="muted num">${user}, ${formatWhen(at, this.data.zone)}</span></li>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`<div class="skeleton wait"></div>`;
    const { survey, events, evidence, reviews, voids, void_proposals: proposals = [], history: changes } = this.data;
    const declined = proposals.filter(({ answer }) => answer && !answer.agreed);
    return html`
      <div class="head"><a href=${link("surveys")} @click=${this.back}>‹ ${t("dossier.back")}</a>
        <h1>${t("dossier.survey", { id: survey.id })}</h1><okno-verdict .verdict=${survey.validity}></okno-verdict></div>
      <div class="page">
        <div>${this.renderPicture()}</div>
        <div class="side">
          <section class="card"><h2>${t("dossier.facts")}</h2>${this.renderFacts()}</section>
          <okno-attribution .survey=${survey} .nameOf=${(id) => this.nameOf("employee", id)} .shift=${this.data.shift_employee} .decisions=${this.data.attributions} zone=${this.data.zone}
            ?may=${["manager", "administrator"].includes(this.me?.role)} @attributed=${this.reload}></okno-attribution>
          <okno-target .id=${survey.id}></okno-target>
          ${this.me?.role === "administrator" && this.found("clip") && !survey.spontaneous ? html`<okno-commission .id=${survey.id}
            .frame=${() => this.renderRoot.querySelector("okno-player").shownAt}></okno-commission>
            <okno-overlay .id=${survey.id} .frame=${() => this.renderRoot.querySelector("okno-player").shownAt}></okno-overlay>` : nothing}
          <okno-void .survey=${survey} .voids=${voids} .proposals=${proposals} .me=${this.me} zone=${this.data.zone}
            ?may=${["manager", "administrator"].includes(this.me?.role)} @voided=${this.reload}></okno-void>
          ${["auditor", "administrator"].includes(this.me?.role) ? html`<okno-holds .survey=${survey.id} .zone=${this.data.zone}></okno-holds>` : nothing}
          ${this.renderAppeals()}
          ${this.renderList(t("dossier.reviews"), reviews, (one) => this.renderReview(one), t("dossier.no_reviews"))}
          ${survey.answer === "no" || this.data.comments?.length ? this.renderList(t("dossier.comments"), this.data.comments, (one) => this.renderComment(one), t("dossier.no_comments")) : nothing}
        </div>
      </div>
      <div class="below">
        ${this.renderList(t("dossier.events"), events, (one) => this.renderEvent(one), "–")}
        ${this.renderList(t("dossier.evidence"), evidence, (one) => this.renderEvidence(one), t("dossier.no_evidence"))}
        ${this.renderList(t("dossier.history"), [...(voids ?? []), ...declined, ...(changes ?? [])].sort((a, b) => a.at.localeCompare(b.at)), (one) => this.renderChange(one), t("dossier.no_history"))}
      </div>`;
  }

  /** Back to the list as it was, with its filters, when we came from there. */
  back(event) {
    if (history.length < 2) return;
    event.preventDefault();
    history.back();
  }
}
customElements.define("okno-dossier", OknoDossier);
