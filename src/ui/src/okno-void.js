// A void of a survey, or its opposite: one person asks, another agrees or does not.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { formatWhen } from "./time.js";

class OknoVoid extends OknoElement {
  static properties = {
    survey: { attribute: false }, voids: { attribute: false }, proposals: { attribute: false }, me: { attribute: false }, zone: {}, may: { type: Boolean },
    open: { state: true }, problem: { state: true }, busy: { state: true },
  };

  static styles = [OknoElement.styles, css`
    section { padding: .75rem; display: grid; gap: .5rem; }
    h2 { font-size: .875rem; }
    form { display: grid; gap: .5rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .row { display: flex; flex-wrap: wrap; gap: .5rem; }
    .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .waiting { border-left: 2px solid var(--amber); padding-left: .5rem; display: grid; gap: .25rem; }
    .problem { color: var(--invalid); }
  `];

  /** What stands: the newest void by hand, else what the rules made of it. */
  get isVoided() { return this.voids?.length ? this.voids.at(-1).voided : this.survey.validity === "voided"; }

  get waiting() { return (this.proposals ?? []).find(({ answer }) => answer === null); }

  async send(path, body) {
    this.busy = true;
    this.problem = "";
    try {
      await post(`surveys/${encodeURIComponent(this.survey.id)}/${path}`, body);
      this.open = "";
      this.emit("voided");
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  ask(event) {
    event.preventDefault();
    this.send("void", { voided: !this.isVoided, reason: new FormData(event.target).get("reason").trim() });
  }

  answer(agree) {
    this.send("void/answer", { proposal: this.waiting.proposal, agree });
  }

  renderWaiting({ voided, author, reason, at }) {
    const own = author === this.me?.user;
    return html`<div class="waiting">
      <b>${t(voided ? "void.asked" : "void.asked_back", { user: author })}</b>
      <span>${t("review.question", { text: reason })}</span><span class="small num">${formatWhen(at, this.zone)}</span>
      ${own ? html`<span class="small">${t("void.needs_other")}</span>` : nothing}
      ${this.may ? html`<div class="row">
        ${own ? nothing : html`<button class="primary" ?disabled=${this.busy} @click=${() => this.answer(true)}>${t("void.agree")}</button>`}
        <button ?disabled=${this.busy} @click=${() => this.answer(false)}>${t(own ? "void.take_back" : "void.disagree")}</button></div>` : nothing}
    </div>`;
  }

  renderForm() {
    return html`<form @submit=${this.ask}>
      <label>${t("void.reason")}<input name="reason" required maxlength="1000" autocomplete="off"></label>
      <p class="small">${t("void.about")}</p>
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t("void.ask")}</button>
        <button type="button" @click=${() => { this.open = ""; this.problem = ""; }}>${t("attribution.cancel")}</button></div></form>`;
  }

  render() {
    const { waiting } = this;
    return html`<section class="card"><h2>${t("void.title")}</h2>
      <p>${t(this.isVoided ? "void.is" : "void.is_not")}</p>
      ${waiting ? this.renderWaiting(waiting) : !this.may ? nothing : this.open ? this.renderForm() : html`<div class="row">
        <button @click=${() => { this.open = "ask"; }}>${t(this.isVoided ? "void.start_back" : "void.start")}</button></div>`}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
    </section>`;
  }
}
customElements.define("okno-void", OknoVoid);
