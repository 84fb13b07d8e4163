// A form for one row that is stored as an import stores it: saving makes its next version.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

export class RowForm extends OknoElement {
  static properties = { row: { attribute: false }, draft: { state: true }, trouble: { state: true }, saving: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .75rem; background: var(--sunken); border-radius: .375rem; }
    h3 { flex-basis: 100%; margin: 0; font-size: .875rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; max-width: 100%; }
    label.tick { display: flex; gap: .375rem; align-items: center; min-height: 2rem; font-size: .875rem; }
    input, select { font-size: .875rem; } input { width: 13rem; max-width: 100%; } input[type=checkbox] { width: auto; } input.wide { width: min(28rem, 100vw - 7rem); }
    details { flex-basis: 100%; } summary { cursor: pointer; }
    .options { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; flex-basis: 100%; padding: .25rem 0; }
    .trouble { color: var(--invalid); } .trouble, .note, .do { flex-basis: 100%; }
    .note { font-size: .75rem; color: var(--muted); margin: 0; }
    .do { display: flex; flex-wrap: wrap; gap: .5rem; align-items: start; }
  `];

  willUpdate(changed) {
    if (changed.has("row")) Object.assign(this, { draft: this.begin(this.row), trouble: "" });
  }

  firstUpdated() {
    this.renderRoot.querySelector("input, select").focus();
  }

  set(name, value) {
    this.draft = { ...this.draft, [name]: value };
  }

  hush(event) {
    if (event.key === "Escape") this.emit("row-closed");
  }

  async save(event) {
    event.preventDefault();
    this.saving = true;
    try {
      await post(this.path, this.body());
      this.emit("row-saved");
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.saving = false;
    }
  }

  renderText(name, { label = t(`row.${name}`), required = false, hint = "", most = 64, wide = false, type = "text", min = 1, max, step, pattern } = {}) {
    return html`<label>${label}<input class=${wide ? "wide" : ""} type=${type} min=${type === "number" ? min : nothing} max=${max ?? nothing} step=${step ?? nothing} pattern=${pattern ?? nothing} name=${name} .value=${String(this.draft[name] ?? "")} ?required=${required} maxlength=${most}
      placeholder=${hint || nothing} autocomplete="off" spellcheck="false" @input=${(event) => this.set(name, event.target.value.trim())}></label>`;
  }

  renderChoice(name, values, label = t(`row.${name}`)) {
    return html`<label>${label}<select name=${name} @change=${(event) => this.set(name, event.target.value)}>
      ${values.map((one) => html`<option value=${one} ?selected=${one === (this.draft[name] ?? "")}>${one || "–"}</option>`)}</select></label>`;
  }

  renderEnd(more = nothing) {
    return html`${this.trouble ? html`<div class="trouble" role="alert">${this.trouble}</div>` : nothing}
      <div class="do"><button class="primary" ?disabled=${this.saving}>${t("alerts.save")}</button>${more}
        <button type="button" class="quiet" @click=${() => this.emit("row-closed")}>${t("alerts.cancel")} <kbd>Esc</kbd></button></div>`;
  }
}
