// One rule of alerts, to be edited: saving makes its next version.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { named, t } from "./i18n.js";

export const kinds = ["negative", "negatives", "fm_burst", "silent_share", "invalid_share", "device_quiet", "clock_jump", "clock_suspect", "point_quiet", "archive", "appeal", "appeal_due", "commission"];

// Which numbers a kind looks at.
const numbers = {
  negatives: ["count", "window_min"], fm_burst: ["count", "window_min"], silent_share: ["share", "window_min", "min_n"],
  invalid_share: ["share", "window_min", "min_n"], point_quiet: ["window_min"],
};
const ranges = { count: [1, 1000, 1], share: [0.01, 1, 0.01], window_min: [1, 10080, 1], min_n: [1, 100000, 1], again_min: [0, 10080, 1] };

export const newRule = () => ({ rule: "", kind: "negatives", where: "all", per: "point", count: 3, share: 0.3, window_min: 60, min_n: 20, again_min: 60, photo: false, to: "", enabled: true });

class OknoRule extends OknoElement {
  static properties = { rule: { attribute: false }, draft: { state: true }, trouble: { state: true }, saving: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .75rem; background: var(--sunken); border-radius: .375rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    label.tick { display: flex; gap: .375rem; align-items: center; min-height: 2rem; font-size: .875rem; }
    input, select { font-size: .875rem; }
    input[type="number"] { width: 6.5rem; } input.wide { width: 13rem; }
    .trouble { color: var(--invalid); flex-basis: 100%; }
    .do { display: flex; gap: .5rem; }
  `];

  willUpdate(changed) {
    if (changed.has("rule")) Object.assign(this, { draft: { ...this.rule }, trouble: "" });
  }

  set(name, value) {
    this.draft = { ...this.draft, [name]: value };
  }

  async save(event) {
    event.preventDefault();
    const { built_in: _, ...body } = this.draft;
    this.saving = true;
    try {
      await post("alert-rules", body);
      this.emit("rule-saved");
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.saving = false;
    }
  }

  renderText(name, more = {}) {
    return html`<label>${t(`alerts.rule_${name}`)}<input class="wide" name=${name} .value=${this.draft[name]} ?required=${more.required} maxlength=${more.max ?? 79}
      placeholder=${more.hint ?? nothing} @input=${(event) => this.set(name, event.target.value)}></label>`;
  }

  renderNumber(name) {
    const [min, max, step] = ranges[name];
    return html`<label>${t(`alerts.rule_${name}`)}<input type="number" name=${name} min=${min} max=${max} step=${step} required .value=${String(this.draft[name])}
      @input=${(event) => { if (event.target.value !== "") this.set(name, Number(event.target.value)); }}></label>`;
  }

  renderChoice(name, options) {
    return html`<label>${t(`alerts.rule_${name}`)}<select name=${name} @change=${(event) => this.set(name, event.target.value)}>
      ${options.map(([id, text]) => html`<option value=${id} ?selected=${id === this.draft[name]}>${text}</option>`)}</select></label>`;
  }

  renderTick(name) {
    return html`<label class="tick"><input type="checkbox" name=${name} .checked=${this.draft[name]} @change=${(event) => this.set(name, event.target.checked)}>${t(`alerts.rule_${name}`)}</label>`;
  }

  render() {
    const { kind } = this.draft;
    const own = numbers[kind] ?? [];
    return html`<form @submit=${this.save}>
      ${this.rule.rule ? nothing : html`${this.renderText("rule", { required: true, max: 64, hint: "busy-hour" })}${this.renderChoice("kind", kinds.map((one) => [one, named("alert", one)]))}`}
      ${this.renderText("where", { hint: "all, site:ID, point:ID, group:NAME" })}
      ${own.length > 1 ? this.renderChoice("per", ["point", "site"].map((one) => [one, t(`alerts.per_${one}`)])) : nothing}
      ${own.map((name) => this.renderNumber(name))}
      ${kind === "negative" ? this.renderTick("photo") : this.renderNumber("again_min")}
      ${this.renderText("to", { max: 519 })}
      ${this.renderTick("enabled")}
      ${this.trouble ? html`<div class="trouble" role="alert">${this.trouble}</div>` : nothing}
      <div class="do"><button class="primary" ?disabled=${this.saving}>${t("alerts.save")}</button>
        <button type="button" class="quiet" @click=${() => this.emit("rule-closed")}>${t("alerts.cancel")}</button></div>
    </form>`;
  }
}
customElements.define("okno-rule", OknoRule);
