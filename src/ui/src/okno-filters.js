// A row of filters. It keeps nothing: it shows the address's fields and tells which one changed.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";

class OknoFilters extends OknoElement {
  // fields: [{name, label, type: "date"} | {name, label, options: [[value, text]]} | {..., type: "number", min, max, step}]
  static properties = { fields: { attribute: false }, values: { attribute: false }, zone: {}, clearable: { type: Boolean } };

  static styles = [OknoElement.styles, css`
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    input, select { font-size: .875rem; min-width: 6rem; max-width: 14rem; }
    select { max-width: 9.5rem; }
    input[type="number"] { width: 6rem; }
    .zone { font-size: .75rem; align-self: center; margin-top: 1rem; }
    @media (max-width: 40rem) { .zone { margin-top: 0; flex-basis: 100%; } label { flex: 1 1 8rem; } input, select { width: 100%; min-width: 0; max-width: none; } }
  `];

  changed(event) {
    event.stopPropagation();
    const { name, value } = event.target;
    if (event.target.checkValidity()) this.emit("filter", { [name]: value });
  }

  renderField(field) {
    const value = this.values[field.name] ?? "";
    if (!field.options)
      return html`<label>${field.label}<input name=${field.name} type=${field.type} .value=${String(value)}
        min=${field.min ?? nothing} max=${field.max ?? nothing} step=${field.step ?? nothing} @change=${this.changed}></label>`;
    return html`<label>${field.label}<select name=${field.name} @change=${this.changed}>${field.options.map(([id, text]) => html`
      <option value=${id} ?selected=${id === value}>${text}</option>`)}</select></label>`;
  }

  render() {
    return html`<form @submit=${(event) => event.preventDefault()}>
      ${this.fields.map((field) => this.renderField(field))}
      ${this.clearable ? html`<button type="button" class="quiet" @click=${() => this.emit("clear")}>${t("filter.clear")}</button>` : nothing}
      ${this.zone ? html`<span class="zone muted">${t("filter.zone", { zone: this.zone })}</span>` : nothing}
    </form>`;
  }
}
customElements.define("okno-filters", OknoFilters);
