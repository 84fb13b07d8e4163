// Small stills under the picture: the survey's own, and its neighbours', so that one person who
// rates again and again is seen. A click shows one large.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { formatClock, formatWhen } from "./time.js";

class OknoStills extends OknoElement {
  static properties = { item: { attribute: false }, chosen: {} };

  static styles = [OknoElement.styles, css`
    ul { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(7.5rem, 11rem); gap: .5rem; overflow-x: auto; padding: 1px; }
    button { padding: 0; width: 100%; display: block; overflow: hidden; background: var(--surface); }
    button[aria-pressed="true"] { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
    img, .none { display: block; width: 100%; aspect-ratio: 16 / 9; object-fit: cover; background: var(--sunken); }
    .none { display: grid; place-content: center; color: var(--muted); font-size: .75rem; }
    .name { display: flex; justify-content: space-between; gap: .25rem; padding: .125rem .375rem; font-size: .6875rem;
      font-weight: 400; color: var(--muted); flex-wrap: wrap; line-height: 1.3; }
    .own .name { color: var(--text); font-weight: 600; }
  `];

  /** On a small screen the row scrolls: begin at the survey's own still. */
  updated(changed) {
    if (!changed.has("item")) return;
    const row = this.renderRoot.querySelector("ul");
    row.scrollLeft = this.renderRoot.querySelector(".own").offsetLeft - row.offsetLeft;
  }

  entries() {
    const { survey, still, neighbours = [] } = this.item;
    const own = { own: true, name: t(survey.answered_at ? "still.own" : "still.own_silent"), at: still?.frame_at ?? survey.opened_at, still };
    const other = (one) => ({ name: t(`still.${one.place}`), at: one.still?.frame_at ?? one.opened_at, still: one.still });
    const of = (place) => neighbours.filter((one) => one.place === place).map(other);
    return [...of("before"), own, ...of("after")];
  }

  show({ still, at }) {
    const { survey } = this.item;
    const alt = t("still.alt", { place: survey.point_name, when: formatWhen(at, survey.time_zone) });
    this.emit("enlarge", this.chosen === still.url ? null : { ...still, alt });
  }

  renderEntry(entry) {
    const { survey } = this.item;
    const clock = formatClock(entry.at, survey.time_zone);
    const alt = t("still.alt", { place: survey.point_name, when: formatWhen(entry.at, survey.time_zone) });
    return html`<li class=${entry.own ? "own" : ""}><button ?disabled=${!entry.still} aria-pressed=${String(Boolean(entry.still) && this.chosen === entry.still.url)}
        title=${t("still.enlarge")} @click=${() => this.show(entry)}>
      ${entry.still ? html`<img src=${entry.still.url} alt=${alt} loading="lazy">` : html`<span class="none">${t("still.none")}</span>`}
      <span class="name num"><span>${entry.name}</span><span>${clock}</span></span></button></li>`;
  }

  render() {
    return html`<ul aria-label=${t("still.strip")}>${this.entries().map((entry) => this.renderEntry(entry))}</ul>`;
  }
}
customElements.define("okno-stills", OknoStills);
