// Say that a survey counts wrongly: as what it should count, and why.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

class OknoAppealForm extends OknoElement {
  static properties = {
    id: {}, verdict: {}, fm: { type: Boolean }, open: { state: true }, done: { state: true }, problem: { state: true }, busy: { state: true },
  };

  static styles = [OknoElement.styles, css`
    form { display: grid; gap: .5rem; }
    fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
    fieldset label { display: flex; align-items: center; gap: .375rem; min-height: 1.75rem; }
    input[type="radio"] { min-height: 0; margin: 0; accent-color: var(--accent); }
    textarea { font-size: .875rem; color: var(--text); }
    legend, label.text { font-size: .75rem; color: var(--muted); }
    label.text { display: grid; gap: .125rem; }
    textarea { width: 100%; min-height: 4.5rem; }
    .row { display: flex; gap: .5rem; }
    .problem { color: var(--invalid); }
  `];

  willUpdate(changed) {
    if (changed.has("id")) this.open = this.done = false;
  }

  /** What it does not count as already. Without a verdict it counts as valid. */
  choices() {
    const now = this.verdict && this.verdict !== "unreviewed" ? this.verdict : null;
    const words = now === null && this.verdict === undefined ? ["valid"] : now === "invalid" ? ["valid"] : now === "undeterminable" ? ["valid", "invalid"] : ["invalid"];
    return this.fm ? [...words, "false_fm"] : words;
  }

  async show() {
    this.open = true;
    await this.updateComplete;
    this.renderRoot.querySelector("textarea").focus();
  }

  async send(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    this.busy = true;
    this.problem = "";
    try {
      await post(`surveys/${encodeURIComponent(this.id)}/appeals`, { asks: form.get("asks"), comment: form.get("comment").trim() });
      Object.assign(this, { open: false, done: true });
      this.emit("appealed");
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  keyed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
    if (event.key === "Escape") this.open = false;
  }

  render() {
    if (this.done) return html`<p role="status">✓ ${t("appeals.filed")}</p>`;
    if (!this.open) return html`<button @click=${this.show}>${t("appeals.file")}</button>`;
    const choices = this.choices();
    return html`
      <form @submit=${this.send}>
        <fieldset><legend>${t("appeals.should")}</legend>${choices.map((word, place) => html`
          <label><input type="radio" name="asks" value=${word} ?checked=${place === 0}> ${t(`appeals.asks_${word}`)}</label>`)}</fieldset>
        <label class="text">${t("appeals.why")}<textarea name="comment" required maxlength="2000" @keydown=${this.keyed}></textarea></label>
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : ""}
        <div class="row"><button class="primary" ?disabled=${this.busy}>${t("appeals.file")} <kbd>Ctrl ⏎</kbd></button>
          <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div>
      </form>`;
  }
}
customElements.define("okno-appeal-form", OknoAppealForm);
