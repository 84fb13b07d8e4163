// The expert's side of the review: checklist, comment, verdict and its reason. Holds no item: it is
// given a draft and says what was decided.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { language, t } from "./i18n.js";
import { signs } from "./okno-verdict.js";
import "./okno-checklist.js";

const verdicts = [
  { id: "valid", cap: "V" },
  { id: "invalid", cap: "I" },
  { id: "undeterminable", cap: "U" },
];
// Of a sale or a minute of opening hours: was a customer there, and asked?
const findings = [
  { id: "valid", cap: "V", word: "asked" },
  { id: "invalid", cap: "N", word: "not_asked", correction: "NOT_ASKED" },
  { id: "valid", cap: "I", word: "no_customer", verdict: "invalid", reason: "NO_CUSTOMER", quiet: true },
  { id: "undeterminable", cap: "U" },
];
const skips = ["review.skip_known", "review.skip_broken", "review.skip_other"];

class OknoDecision extends OknoElement {
  static properties = {
    survey: { attribute: false }, reasons: { attribute: false }, draft: { attribute: false },
    busy: { type: Boolean }, hasPicture: { type: Boolean }, canUndo: { type: Boolean }, problem: {},
    picking: { state: true }, waiting: { state: true },
  };

  static styles = [OknoElement.styles, css`
    :host { display: flex; flex-direction: column; gap: .75rem; min-height: 0; }
    h3 { margin-bottom: .25rem; }
    .verdicts { display: grid; gap: .5rem; }
    .verdicts button, .reasons button { justify-content: flex-start; text-align: left; width: 100%; }
    .verdicts button { min-height: 2.5rem; font-weight: 600; }
    .sign { width: 1rem; text-align: center; font-weight: 700; }
    .word { flex: 1; }
    .valid { color: var(--valid); background: var(--valid-soft); border-color: transparent; }
    .invalid { color: var(--invalid); background: var(--invalid-soft); border-color: transparent; }
    .undeterminable { color: var(--amber); background: var(--amber-soft); border-color: transparent; }
    .verdicts button:hover:not(:disabled) { border-color: currentColor; }
    .minor { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
    .minor button { justify-content: space-between; }
    .reasons { display: grid; gap: .25rem; }
    .reasons button { min-height: 1.875rem; padding-top: .125rem; padding-bottom: .125rem; font-weight: 400; border-color: transparent; background: var(--sunken); }
    .reasons button[aria-pressed="true"] { border-color: var(--accent); }
    .head { display: flex; align-items: center; justify-content: space-between; }
    .head h2 { font-size: .875rem; }
    textarea, input[type="text"] { width: 100%; }
    textarea { min-height: 2rem; display: block; }
    textarea.wanted { border-color: var(--accent); }
    .checks { display: grid; gap: .5rem; }
    .checks label { display: flex; gap: .5rem; align-items: center; color: var(--text); }
    .problem { color: var(--invalid); }
    .row { display: flex; gap: .5rem; align-items: center; }
    .row > :first-child { flex: 1; }
    @media (max-width: 56rem) {
      /* Thumbs: the verdicts stay in reach at the foot of a small screen. */
      .verdicts {
        position: fixed; z-index: 2; left: 0; right: 0; bottom: 0; grid-auto-flow: column; grid-auto-columns: 1fr; gap: .25rem;
        padding: .5rem; background: var(--surface); border-top: 1px solid var(--line);
      }
      .verdicts button { flex-direction: column; gap: 0; padding: .25rem; font-size: .75rem; justify-content: center; min-height: 3rem; }
      .verdicts .word { flex: none; }
      .verdicts kbd { display: none; }
    }
  `];

  constructor() {
    super();
    this.reset();
  }

  reset() {
    this.picking = ""; // "", "invalid", "undeterminable" or "skip"
    this.waiting = null; // the decision that still lacks its comment
  }

  willUpdate(changed) {
    if (changed.has("survey")) this.reset();
  }

  change(fields) {
    this.emit("draft", { ...this.draft, ...fields });
  }

  pick(kind) {
    this.picking = kind;
    this.waiting = null;
  }

  get visit() { return Boolean(this.survey?.visit); }

  /** What was found of a sale or a minute, by its key. */
  find(cap) {
    const { verdict = "valid", reason = null, correction = null } = findings.find((one) => one.cap === cap);
    this.decide({ verdict, reason, correction });
    return true;
  }

  decide(decision) {
    if (this.busy) return;
    if ((this.isUnseen(decision) || this.needsText(decision.reason)) && !this.draft.comment.trim()) {
      this.waiting = decision;
      this.focusComment();
      return;
    }
    this.emit("decide", decision);
  }

  decideReason(reason) {
    this.decide({ verdict: this.picking, reason });
  }

  decideValid() {
    this.decide({ verdict: "valid", reason: null });
  }

  /** Known from elsewhere: nothing here shows it. */
  isUnseen({ verdict }) {
    return !this.hasPicture && verdict !== "undeterminable";
  }

  needsText(id) {
    return id === "OTHER" || this.choices().some((reason) => reason.id === id && reason.needs_text);
  }

  skip(reason) {
    if (!this.busy && reason.trim()) this.emit("skip-item", { reason: reason.trim() });
  }

  async focusComment() {
    await this.updateComplete;
    this.renderRoot.querySelector("textarea, input[type=text]")?.focus();
  }

  /** Do what a key asks; false when it means nothing here. */
  command(key) {
    if (this.busy) return false;
    if (this.picking) return this.commandInPicker(key);
    if (this.visit && ["v", "n", "i"].includes(key)) return this.find(key.toUpperCase());
    if (key === "Escape" && this.waiting) this.pick("");
    else if (key === "v") this.decideValid();
    else if (key === "i") this.pick("invalid");
    else if (key === "u") this.pick("undeterminable");
    else if (key === "s") this.pick("skip");
    else if (key === "c") this.focusComment();
    else if (key === "z") this.emit("undo");
    else if (key === "f" && this.survey.force_majeure) this.change({ false_fm: !this.draft.false_fm });
    else if (key === "f" && this.survey.fm_follows) this.change({ fm_back: !this.draft.fm_back });
    else if (key === "b") this.change({ blinding_broken: !this.draft.blinding_broken });
    else return false;
    return true;
  }

  commandInPicker(key) {
    if (key === "Escape") this.pick(this.waiting ? this.picking : "");
    else if (this.picking === "skip" && skips[Number(key) - 1]) this.skip(t(skips[Number(key) - 1]));
    else if (this.choices().some((reason) => reason.key.toLowerCase() === key))
      this.decideReason(this.choices().find((reason) => reason.key.toLowerCase() === key).id);
    else if (key === "c") this.focusComment();
    else if (["v", "i", "u", "s"].includes(key)) {
      this.pick("");
      return this.command(key);
    } else return false;
    return true;
  }

  choices() {
    return this.reasons?.[this.picking] ?? [];
  }

  commentKey(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.target.blur();
      this.waiting = null;
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      event.target.blur();
      if (this.waiting) this.decide(this.waiting);
    }
  }

  renderComment() {
    const words = t(!this.waiting ? "review.comment_optional" : this.isUnseen(this.waiting) ? "review.comment_unseen" : "review.comment_needed");
    return html`
      <textarea rows=${this.waiting ? 2 : 1} class=${this.waiting ? "wanted" : ""} maxlength="2000" placeholder="${words}  [C]" aria-label=${words}
        .value=${this.draft.comment} @input=${(event) => this.change({ comment: event.target.value })}
        @keydown=${this.commentKey}></textarea>
      ${this.waiting ? html`<div class="row"><span></span>
        <button class="primary" ?disabled=${!this.draft.comment.trim()}
          @click=${() => this.decide(this.waiting)}>${t("review.send")} <kbd>⏎</kbd></button></div>` : nothing}`;
  }

  renderBack(title) {
    return html`<div class="head"><h2>${title}</h2>
      <button class="quiet" @click=${() => this.pick(this.waiting ? this.picking : "")}>${t("review.back")} <kbd>Esc</kbd></button></div>`;
  }

  renderPicker() {
    return html`
      ${this.renderBack(t(`review.pick_${this.picking}`))}
      <div class="reasons" role="group" aria-label=${t(`review.pick_${this.picking}`)}>
        ${this.choices().filter(({ id }) => !this.waiting || id === this.waiting.reason).map((reason) => html`
          <button ?disabled=${this.busy} aria-pressed=${String(this.waiting?.reason === reason.id)}
            @click=${() => this.decideReason(reason.id)}><kbd>${reason.key.toUpperCase()}</kbd>${reason[language()]}</button>`)}
      </div>
      ${this.renderComment()}`;
  }

  skipKey(event) {
    if (event.key === "Enter") this.skip(event.target.value);
    if (event.key === "Escape") event.target.blur();
  }

  renderSkip() {
    return html`
      ${this.renderBack(t("review.pick_skip"))}
      <div class="reasons" role="group">
        ${skips.map((key, index) => html`
          <button ?disabled=${this.busy} @click=${() => this.skip(t(key))}><kbd>${index + 1}</kbd>${t(key)}</button>`)}
      </div>
      <div class="row">
        <input type="text" maxlength="200" placeholder="${t("review.skip_text")}  [C]" aria-label=${t("review.skip_text")} @keydown=${this.skipKey}>
        <button @click=${() => this.skip(this.renderRoot.querySelector("input[type=text]").value)}>${t("review.send")}</button>
      </div>`;
  }

  renderFinding({ id, cap, word, quiet }) {
    const act = word ? () => this.find(cap) : () => this.pick(id);
    const sign = quiet ? "–" : signs[id];
    return html`<button class=${quiet ? "" : id} ?disabled=${this.busy} @click=${act}>
      <span class="sign" aria-hidden="true">${sign}</span><span class="word">${t(`review.${word ?? id}`)}</span><kbd>${cap}</kbd></button>`;
  }

  renderVerdict({ id, cap }) {
    const act = id === "valid" ? () => this.decideValid() : () => this.pick(id);
    return html`<button class=${id} ?disabled=${this.busy} @click=${act}>
      <span class="sign" aria-hidden="true">${signs[id]}</span><span class="word">${t(`review.${id}`)}</span><kbd>${cap}</kbd></button>`;
  }

  renderCheck(name, key, text) {
    return html`<label><input type="checkbox" .checked=${this.draft[name]}
      @change=${(event) => this.change({ [name]: event.target.checked })}><span>${text}</span> <kbd>${key}</kbd></label>`;
  }

  renderMain() {
    return html`
      <div class="verdicts" role="group" aria-label=${t("review.decide")}>${this.visit ? findings.map((one) => this.renderFinding(one)) : verdicts.map((one) => this.renderVerdict(one))}</div>
      <div class="minor">
        <button ?disabled=${this.busy} @click=${() => this.pick("skip")}>${t("review.skip")}<kbd>S</kbd></button>
        <button ?disabled=${this.busy || !this.canUndo} @click=${() => this.emit("undo")}>${t("review.undo")}<kbd>Z</kbd></button>
      </div>
      ${this.renderComment()}
      ${this.hasPicture ? this.renderSeen() : nothing}`;
  }

  renderSeen() {
    if (this.visit) return nothing;
    const items = (this.reasons?.checklist ?? []).filter((item) => this.concerns(item));
    return html`
      <div class="checks">
        ${this.survey.force_majeure ? this.renderCheck("false_fm", "F", t("review.false_fm")) : nothing}
        ${this.survey.fm_follows ? this.renderCheck("fm_back", "F", t("review.fm_back")) : nothing}
        ${this.renderCheck("blinding_broken", "B", t("review.blinding"))}
      </div>
      <section><h3>${t("review.checklist")}</h3>
        <okno-checklist .items=${items} .values=${this.draft.checklist}
          @checklist=${(event) => this.change({ checklist: event.detail.values })}></okno-checklist></section>`;
  }

  /** Points about a silent survey or force majeure are asked only where they mean something. */
  concerns(item) {
    if (item.id.includes("silent") || item.id.includes("still_there")) return !this.survey.answered_at;
    if (/^(fm|force_majeure|circumstance)/.test(item.id)) return this.survey.force_majeure;
    return true;
  }

  render() {
    return html`
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${this.picking === "skip" ? this.renderSkip() : this.picking ? this.renderPicker() : this.renderMain()}`;
  }
}
customElements.define("okno-decision", OknoDecision);
