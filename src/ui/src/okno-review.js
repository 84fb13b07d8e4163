// The expert's page: one survey, its picture, a decision, the next.
import { css, html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { OknoElement } from "./element.js";
import { ApiError, get, post } from "./api.js";
import { Attention } from "./attention.js";
import { emptyDraft, loadDraft, saveDraft } from "./draft.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { language, named, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { formatClock, formatDay, formatWhen, zoneName } from "./time.js";
import "./okno-decision.js";
import "./okno-lease.js";
import "./okno-notice.js";
import "./okno-player.js";
import "./okno-progress.js";
import "./okno-stills.js";

const unsureClockMs = 5000;
const skeletonAfterMs = 150; // a quick answer replaces the item without a flicker
// What to suggest when the pictures look like this; a hint that the expert confirms or passes over.
const reasonOfPicture = { black: "VIEW_BLOCKED", covered: "VIEW_BLOCKED", frozen: "VIEW_BLOCKED", scene_changed: "VIEW_BLOCKED", too_dark: "TOO_DARK" };
// What to suggest when there is no picture: the state of the link -> a reason of `undeterminable`.
const reasonOfState = { no_recording: "NO_RECORDING", no_camera: "NO_CAMERA", expired: "EXPIRED", partial: "PARTIAL" };

class OknoReview extends OknoElement {
  static properties = {
    audit: {}, // review only this audit; empty: any
    held: { type: Boolean }, // something lies over the page: keys are not for us
    phase: { state: true }, // loading, item, empty, lost, error
    item: { state: true }, draft: { state: true }, reasons: { state: true }, enlarged: { state: true },
    busy: { state: true }, problem: { state: true }, leaseUntil: { state: true }, canUndo: { state: true },
  };

  static styles = [OknoElement.styles, css`
    :host { --stage-height: calc(100dvh - 20.5rem); padding: .5rem 1rem 1rem; }
    .bar { display: flex; align-items: center; gap: .5rem 1.5rem; min-height: 2rem; margin-bottom: .5rem; flex-wrap: wrap; }
    .bar .name { font-weight: 600; flex: 1; min-width: 12rem; }
    okno-progress { width: 16rem; max-width: 40vw; }
    .page { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; gap: 1rem; align-items: start; }
    .picture { display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; }
    .side { padding: .75rem; display: flex; flex-direction: column; gap: .75rem; }
    .when { font-size: 1rem; font-weight: 600; }
    .facts { display: grid; gap: .125rem; }
    .warn { color: var(--amber); }
    .wait { height: 2rem; }
    .wait.side-block { height: 24rem; }
    .wait.strip { height: 5rem; }
    @media (min-width: 100rem) { .page { grid-template-columns: minmax(0, 1fr) 24rem; } }
    @media (max-width: 56rem) {
      :host { --stage-height: none; padding: .5rem .5rem 1rem; }
      .page { grid-template-columns: minmax(0, 1fr); gap: .5rem; padding-bottom: 4rem; }
    }
    .on-stage { position: absolute; right: .5rem; top: .5rem; }
  `];

  constructor() {
    super();
    this.phase = "loading";
    this.draft = emptyDraft();
    this.busy = this.canUndo = false;
    this.watched = new Set();
    this.attention = new Attention(() => this.player?.playing ?? false);
  }

  connectedCallback() {
    super.connectedCallback();
    this.attention.start();
    this.open();
  }

  disconnectedCallback() {
    this.attention.stop();
    super.disconnectedCallback();
  }

  get player() { return this.renderRoot?.querySelector("okno-player"); }
  get decision() { return this.renderRoot?.querySelector("okno-decision"); }

  async open() {
    try {
      this.reasons ??= await get("reasons");
    } catch (error) {
      this.fail(error);
      return;
    }
    await this.next();
  }

  /** Lease the next item (or the one we already hold) and show it. */
  async next() {
    if (this.phase !== "item") this.phase = "loading";
    const slow = setTimeout(() => { this.phase = "loading"; }, skeletonAfterMs);
    this.busy = true;
    this.problem = "";
    try {
      this.show(await post("queue/next", this.audit ? { audit: this.audit } : {}));
    } catch (error) {
      if (error.code === "queue_empty") this.phase = "empty";
      else {
        this.phase = "loading";
        this.fail(error);
      }
    } finally {
      clearTimeout(slow);
      this.busy = false;
    }
  }

  show(item) {
    this.item = item;
    this.leaseUntil = item.lease_until;
    this.canUndo = this.canUndo || item.can_undo;
    this.draft = loadDraft(item.item);
    this.watched = new Set();
    this.enlarged = !item.clip && item.still ? this.ownStill(item) : null;
    this.attention.restart();
    this.phase = "item";
  }

  ownStill({ still, survey }) {
    return { ...still, alt: t("still.alt", { place: survey.point_name, when: formatWhen(still.frame_at, survey.time_zone) }) };
  }

  fail(error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) this.emit("session-ended");
    this.problem = errorText(error);
    if (!this.item || this.phase === "loading") this.phase = "error";
  }

  /** An error about the item at hand: it stays, unless it is no longer ours. */
  failItem(error) {
    if (error instanceof ApiError && error.code === "lease_lost") this.phase = "lost";
    else this.fail(error);
  }

  /** One request about the item at hand at a time; returns null when it failed. */
  async attempt(request) {
    if (this.busy) return null;
    this.busy = true;
    this.problem = "";
    try {
      return { answer: await request() };
    } catch (error) {
      this.failItem(error);
      return null;
    } finally {
      this.busy = false;
    }
  }

  verdictBody(verdict, reason) {
    const { draft } = this;
    this.player?.settle();
    return {
      lease: this.item.lease, verdict, reason, comment: draft.comment.trim(),
      correction: verdict !== "valid" ? null : draft.false_fm ? "FALSE_FM" : draft.fm_back ? "FM_REACHES_BACK" : null,
      checklist: draft.checklist, watched: [...this.watched],
      played_s: Math.round((this.player?.playedSeconds ?? 0) * 10) / 10,
      ...this.attention.figures(), blinding_broken: draft.blinding_broken,
    };
  }

  async decide({ verdict, reason, correction = null }) {
    const { item } = this;
    const body = this.verdictBody(verdict, reason);
    const done = await this.attempt(() => post(`queue/${item.item}/submit`, correction ? { ...body, correction } : body));
    if (!done) return;
    this.canUndo = true;
    this.emit("toast", done.answer.counted === false
      ? { text: t("review.not_counted"), tone: "amber" }
      : { text: t("review.sent", { verdict: this.wordFor(verdict, correction) }), tone: verdict, action: t("review.undo"), key: "Z", run: () => this.undo() });
    await this.next();
  }

  /** What was decided, in the words of what was looked at. */
  wordFor(verdict, correction) {
    if (!this.item.survey.visit || verdict === "undeterminable") return t(`verdict.${verdict}`);
    return t(`review.${verdict === "invalid" ? "no_customer" : correction ? "not_asked" : "asked"}`);
  }

  async skip({ reason }) {
    const { item } = this;
    const done = await this.attempt(() => post(`queue/${item.item}/skip`, { lease: item.lease, reason }));
    if (!done) return;
    this.emit("toast", { text: t("review.skipped") });
    await this.next();
  }

  async undo() {
    if (this.busy || this.phase === "loading") return;
    this.busy = true;
    try {
      await post("queue/undo");
      this.canUndo = false;
      this.emit("toast", { text: t("review.undone") });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.emit("toast", { text: t("review.nothing_to_undo") });
      else this.failItem(error);
      return;
    } finally {
      this.busy = false;
    }
    await this.next();
  }

  async beat() {
    const { item } = this;
    try {
      const { lease_until: until } = await post(`queue/${item.item}/heartbeat`, { lease: item.lease });
      if (this.item === item) this.leaseUntil = until;
    } catch (error) {
      if (this.item === item && this.phase === "item") this.failItem(error);
    }
  }

  onKey(event) {
    if (this.held || event.defaultPrevented || isTyping(event) || isPressing(event)) return;
    const key = keyName(event);
    if (!key) return;
    if (this.command(key)) event.preventDefault();
  }

  command(key) {
    if (this.phase === "item") {
      if (key === "Escape" && this.enlarged && this.item.clip && !this.decision?.picking) {
        this.enlarged = null;
        return true;
      }
      if (key === "q" && this.confirmHint()) return true;
      return this.decision?.command(key) || this.player?.command(key) || false;
    }
    if (key === "z" && this.canUndo) this.undo();
    else if (key === "Enter" && this.phase !== "loading") this.next();
    else return false;
    return true;
  }

  /** What a verdict is bound to. A neighbour's still is no evidence of this survey. */
  sawEvidence(sha256) {
    const { clip, still } = this.item;
    if (sha256 && (sha256 === clip?.sha256 || sha256 === still?.sha256)) this.watched.add(sha256);
  }

  setDraft(draft) {
    this.draft = draft;
    saveDraft(this.item.item, draft);
  }

  renderBar() {
    const { item } = this;
    return html`
      <div class="bar">
        <div class="name">${t("review.audit", { audit: item.audit_title || named("origin", item.origin), place: `${item.survey.site_name}, ${item.survey.point_name}` })}</div>
        <okno-progress .value=${item.progress.reviewed} .total=${item.progress.total} label=${t("review.progress_label")}></okno-progress>
        ${this.phase === "item" ? html`<okno-lease .until=${this.leaseUntil} .awake=${() => this.attention.isPresent()}
          @lease-beat=${this.beat} @lease-ended=${this.beat}></okno-lease>` : nothing}
      </div>`;
  }

  renderFacts() {
    const { survey, video } = this.item;
    const seconds = formatNumber(video.uncertainty_ms / 1000, 1);
    const unsure = video.uncertainty_ms > unsureClockMs || video.flags?.includes("time_uncertain");
    return html`
      <div class="facts">
        <div class="when num">${formatDay(survey.opened_at, survey.time_zone)}, ${formatClock(survey.opened_at, survey.time_zone)}
          <span class="muted" title=${survey.time_zone}>${zoneName(survey.opened_at, survey.time_zone)}</span></div>
        <div>${survey.site_name} · ${survey.point_name}${video.camera ? html` · ${t("review.camera", { camera: video.camera_name || video.camera })}` : nothing}</div>
        ${video.camera ? html`<div class=${unsure ? "warn" : "muted"}>${t(unsure ? "review.clock_unsure" : "review.clock", { seconds })}</div>` : nothing}
        ${this.renderPictureHint()}
        ${video.state === "linked" ? nothing : html`<div class="warn">${named("video", video.state)}</div>`}
        ${survey.question ? html`<div class="muted">${t("review.question", { text: survey.question })}</div>` : nothing}
        ${survey.answer ? html`<div>${t("review.answer_shown", { answer: named("answer", survey.answer) })}</div>` : nothing}
        ${survey.visit ? html`<div><b>${t(`review.visit_${survey.visit}`)}</b></div>` : nothing}
        ${survey.spontaneous ? html`<div>${t("review.spontaneous")}</div>` : nothing}
        ${survey.force_majeure ? html`<div class="warn">${t("review.force_majeure")}</div>` : nothing}
      </div>`;
  }

  /** The flags of what is shown, and the reason that they speak for. */
  pictureHint() {
    const flags = (this.item.clip ?? this.item.still)?.picture_flags ?? [];
    const id = flags.map((flag) => reasonOfPicture[flag]).find(Boolean);
    return { flags, reason: this.reasons?.undeterminable.find((reason) => reason.id === id) };
  }

  renderPictureHint() {
    const { flags, reason } = this.pictureHint();
    if (!flags.length) return nothing;
    return html`<div class="warn picture-hint">${flags.map((flag) => t(`picture.${flag}`)).join(". ")}.
      ${reason ? html`<br>${t("review.picture_suggest", { key: "Q", reason: reason[language()] })}` : nothing}</div>`;
  }

  /** One key confirms what the pictures suggest. */
  confirmHint() {
    const { reason } = this.pictureHint();
    if (!reason || this.busy || this.decision?.picking) return false;
    this.decide({ verdict: "undeterminable", reason: reason.id });
    return true;
  }

  /** Words for the stage when there is nothing to see. */
  renderNoPicture() {
    const { video } = this.item;
    const wanted = this.reasons.undeterminable.find((reason) => reason.id === reasonOfState[video.state]);
    return html`<div slot="none">
      <h2>${t("review.no_picture")}</h2>
      <p>${named("video", video.state)}${video.message ? html`<br>${video.message}` : nothing}</p>
      <p>${wanted ? t("review.suggest", { key: wanted.key.toUpperCase(), reason: wanted[language()] }) : t("review.pending")}</p></div>`;
  }

  renderNote() {
    if (this.item.clip && this.enlarged)
      return html`<div slot="note" class="on-stage"><button @click=${() => { this.enlarged = null; }}>${t("still.close")} <kbd>Esc</kbd></button></div>`;
    return nothing;
  }

  renderItem() {
    const { item } = this;
    return html`
      ${this.renderBar()}
      <div class="page">
        <div class="picture">
          ${keyed(item.item, html`<okno-player .clip=${item.clip} .survey=${item.survey} .still=${this.enlarged}
            .poster=${item.still?.view?.url ?? item.still?.url}
            @watched=${(event) => this.sawEvidence(event.detail.sha256)}>
            ${item.clip || item.still ? this.renderNote() : this.renderNoPicture()}
          </okno-player>`)}
          <okno-stills .item=${item} chosen=${this.enlarged?.url ?? ""} @enlarge=${(event) => this.enlarge(event.detail)}></okno-stills>
        </div>
        <aside class="side card">
          ${this.renderFacts()}
          <okno-decision .survey=${item.survey} .reasons=${this.reasons} .draft=${this.draft} ?busy=${this.busy}
            ?hasPicture=${Boolean(item.clip || item.still)} ?canUndo=${this.canUndo} .problem=${this.problem} @draft=${(event) => this.setDraft(event.detail)}
            @decide=${(event) => this.decide(event.detail)} @skip-item=${(event) => this.skip(event.detail)}
            @undo=${this.undo}></okno-decision>
        </aside>
      </div>`;
  }

  enlarge(still) {
    this.enlarged = still ?? (this.item.clip ? null : this.ownStill(this.item));
  }

  renderWaiting() {
    return html`
      <div aria-busy="true" aria-label=${t("review.loading")}>
        ${this.item ? this.renderBar() : html`<div class="bar"><div class="skeleton wait"></div></div>`}
        <div class="page">
          <div class="picture"><okno-player></okno-player><div class="skeleton wait strip"></div></div>
          <aside class="side card"><div class="skeleton wait"></div><div class="skeleton wait side-block"></div></aside>
        </div>
      </div>`;
  }

  renderNotice(heading, text, button) {
    return html`<okno-notice .heading=${heading} .text=${text}>
      <button class="primary" @click=${this.next}>${button} <kbd>⏎</kbd></button>
      ${this.canUndo ? html`<button @click=${this.undo}>${t("review.undo")} <kbd>Z</kbd></button>` : nothing}</okno-notice>`;
  }

  render() {
    switch (this.phase) {
    case "item": return this.renderItem();
    case "empty": return this.renderNotice(t("review.empty"), t("review.empty_next"), t("review.look_again"));
    case "lost": return this.renderNotice(t("review.lost"), t("review.lost_next"), t("review.next"));
    case "error": return this.renderNotice("", this.problem, t("error.retry"));
    default: return this.renderWaiting();
    }
  }
}
customElements.define("okno-review", OknoReview);
