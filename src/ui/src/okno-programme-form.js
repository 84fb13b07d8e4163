// A programme, to be declared or given its next version: what is drawn each day, where seeds come from, whether the
// experts are enough for it. Days that have begun keep what they began with.
import { html, nothing } from "lit";
import { RowForm } from "./row-form.js";
import { formatNumber, formatPlain } from "./format.js";
import { t } from "./i18n.js";
import { localDate } from "./time.js";

// The public beacon of the League of Entropy: rounds by anybody's clock, looked up by anybody.
const drand = { beacon: "https://api.drand.sh/public/{round}", genesis: 1595431050, period: 30 };
const sources = ["drand", "rounds", "day", "people"];

/** What a day comes to for the experts, and whether they are enough. */
export function renderCapacity({ items_a_day: n, seconds_an_item: seconds, hours_needed: needed, hours_there: there, enough }) {
  const text = t("programme.capacity", { n, seconds: formatNumber(seconds), needed: formatPlain(Math.round(needed * 100) / 100) });
  return html`<p class="num ${enough ? "" : "few"}" role="status">${text}${there > 0 ? html`; ${t(enough ? "programme.enough" : "programme.too_few", { there: formatPlain(there) })}` : nothing}</p>`;
}

const sourceOf = ({ beacon, genesis_s: genesis, period_s: period }) => {
  if (!beacon) return "people";
  if (beacon === drand.beacon && genesis === drand.genesis && period === drand.period) return "drand";
  return beacon.includes("{round}") ? "rounds" : "day";
};

class OknoProgrammeForm extends RowForm {
  static properties = { zone: {} };

  path = "programmes";

  /** From the present version, or twenty surveys of each day from today on. */
  begin({ programme = "", title = "", settings }) {
    if (!settings) {
      return { programme, title, zone: this.zone, from: localDate(Date.now(), this.zone), size: 20, after_min: 60, source: "drand", beacon: "", genesis: "", period: "", people: "", expert_hours: "", seconds: "",
        looks: 1, double: 0, level: 0.95, k: "", undeterminable_limit: "", fm_threshold: "", accept_fm: "", accept_unheard: "", report_to: "", show_answer: false };
    }
    const { from_day: from, after_min: after, people, genesis_s: genesis, period_s: period, seconds_an_item: seconds, accepted, accepted_fm: acceptedFm, report_to: to, show_answer: shows, beacon, zone, size, looks = 1 } = settings;
    const real = (name) => Number(settings[name] ?? 0);
    return { programme, title: settings.title, zone, from, size, after_min: after, source: sourceOf(settings), beacon, genesis: genesis || "", period: period || "", people,
      expert_hours: real("expert_hours") || "", seconds: seconds || "", looks, double: real("double"), level: real("level"), k: real("k"), undeterminable_limit: real("undeterminable_limit"),
      fm_threshold: real("fm_threshold"), accept_fm: acceptedFm ?? "", accept_unheard: accepted, report_to: to, show_answer: shows };
  }

  get seed() {
    const { source, beacon, genesis, period, people } = this.draft;
    if (source === "people") return { people };
    if (source === "drand") return drand;
    return source === "day" ? { beacon } : { beacon, genesis: Number(genesis), period: Number(period) };
  }

  /** An empty number is left to the service. */
  body() {
    const { programme, title, zone, from, accept_fm: fm, accept_unheard: unheard, report_to: to, show_answer: shows } = this.draft;
    const numbers = ["size", "after_min", "looks", "double", "level", "k", "undeterminable_limit", "fm_threshold", "expert_hours", "seconds"];
    const said = Object.fromEntries(numbers.filter((name) => String(this.draft[name]) !== "").map((name) => [name, Number(this.draft[name])]));
    return { programme, title, zone, from, accept_fm: fm, accept_unheard: unheard, report_to: to, show_answer: shows, ...said, ...this.seed };
  }

  /** As the service counts it, before anything is saved. */
  get capacity() {
    const { size, double, seconds: own, expert_hours: hours } = this.draft;
    const { capacity } = this.row;
    const seconds = Number(own) || (capacity?.measured ? capacity.seconds_an_item : 60);
    const items = Math.ceil(Number(size) * (1 + Number(double)));
    const needed = (items * seconds) / 3600;
    return { items_a_day: items, seconds_an_item: seconds, hours_needed: needed, hours_there: Number(hours), enough: Number(hours) <= 0 || needed <= Number(hours) };
  }

  text(name, more = {}) {
    return this.renderText(name, { label: t(`programme.f_${name}`), ...more });
  }

  number(name, min, max, more = {}) {
    return this.text(name, { type: "number", min, max, ...more });
  }

  renderSource() {
    const { source } = this.draft;
    return html`<div class="options">
      <label>${t("programme.f_source")}<select name="source" @change=${({ target }) => this.set("source", target.value)}>
        ${sources.map((one) => html`<option value=${one} ?selected=${one === source}>${t(`programme.source_${one}`)}</option>`)}</select></label>
      ${source === "rounds" || source === "day" ? this.text("beacon", { required: true, hint: `https://beacon.example/{${source === "day" ? "day" : "round"}}`, most: 900, wide: true }) : nothing}
      ${source === "rounds" ? html`${this.number("genesis", 0, undefined, { required: true, hint: "1595431050" })}${this.number("period", 1, 86400, { required: true, hint: "30" })}` : nothing}
      ${source === "people" ? this.text("people", { required: true, hint: "ann, bob", most: 400, wide: true }) : nothing}
      <p class="note">${t(`programme.how_${source}`)}</p></div>`;
  }

  renderMore() {
    return html`<details><summary>${t("programme.more")}</summary><div class="options">
      ${this.text("zone", { required: true, hint: "Europe/Moscow", most: 80 })}${this.number("after_min", 0, 1440, { required: true })}
      ${this.number("looks", 1, 100, { required: true })}${this.number("double", 0, 1, { required: true, step: "any" })}${this.number("level", 0.5, 0.9999, { required: true, step: "any" })}
      ${this.number("k", 0, 1, { step: "any" })}${this.number("undeterminable_limit", 0, 1, { step: "any" })}
      ${this.number("fm_threshold", 0, 1, { step: "any" })}${this.text("accept_fm", { most: 1000, wide: true })}${this.text("accept_unheard", { most: 1000, wide: true })}
      <label class="tick"><input type="checkbox" name="show_answer" .checked=${this.draft.show_answer} @change=${({ target }) => this.set("show_answer", target.checked)}>${t("plan.show_answer")}</label>
    </div></details>`;
  }

  render() {
    const fresh = !this.row.programme;
    return html`<form @submit=${this.save} @keydown=${this.hush} aria-label=${t(fresh ? "programme.new" : "programme.edit")}>
      <h3>${fresh ? t("programme.new") : this.row.programme}</h3>
      ${fresh ? this.text("programme", { required: true, hint: "daily", most: 50, pattern: "[A-Za-z0-9_\\-]+" }) : nothing}
      ${this.text("title", { most: 200, wide: true })}
      ${this.text("from", { type: "date", required: true })}${this.number("size", 1, 100000, { required: true })}
      ${this.renderSource()}
      <div class="options">${this.number("expert_hours", 0, 10000, { step: "any" })}${this.number("seconds", 0, 36000)}</div>
      <div class="note">${renderCapacity(this.capacity)}</div>
      ${this.text("report_to", { hint: "head-office" })}
      ${this.renderMore()}
      <p class="note">${t(fresh ? "programme.hint" : "programme.hint_next")}</p>
      ${this.renderEnd()}
    </form>`;
  }
}
customElements.define("okno-programme-form", OknoProgrammeForm);
